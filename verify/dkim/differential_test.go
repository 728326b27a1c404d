package dkim_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/message"
)

// The fates of a signature that the two implementations are compared by.
const (
	passes  = "pass"
	fails   = "fail"
	refused = "refused" // permerror, neutral, policy
)

// compared is one signature in its message, with both verdicts.
type compared struct {
	ours, theirs string
	err          error  // ours
	block, body  []byte // the header section without its last CRLF, and the body
	header       message.Header
	field        message.Field     // the signature
	tags         map[string]string // of the signature, read leniently
}

// difference is a way in which we mean to differ from go-msgauth.
type difference struct {
	name    string
	why     string
	ours    string // the fate here; "" for any
	theirs  string // the fate there; "" for any
	applies func(c *compared) bool
}

// differences is the whole list. FuzzDifferential accepts no other, and
// TestDifferences shows a message for each.
var differences = []difference{
	// What we verify and they do not.
	{"l=", "they refuse every l=; we verify it, and refuse what it does not cover", "", fails, hasTag("l")},
	{"U-labels", "RFC 8616 §5: asked for as A-labels; they ask for them as they are", "", refused, tagsMatch(`[^\x00-\x7f]`, "d", "s", "i")},
	{"case and final dot of i=", "they compare domain names as text", "", refused, tagsMatch(`[A-Z]|\.$`, "d", "i")},
	{"expired a moment ago", "we allow five minutes for clocks that differ", "", refused, func(c *compared) bool {
		since := time.Since(c.seconds("x"))
		return since >= 0 && since <= 310*time.Second
	}},
	// What we refuse and they do not.
	{"t=y", "RFC 6376 §3.6.1: as if unsigned", refused, "", tagsMatch(`(?i)^test\.?$`, "s")},
	{"t=s", "they ignore the flag", refused, "", tagsMatch(`(?i)^strict\.?$`, "s")},
	{"second From, Subject, …", "RFC 6376 §8.15: it is not signed but may be shown", refused, passes, func(c *compared) bool {
		return slices.ContainsFunc([]string{"From", "Subject", "Date", "To", "Reply-To", "Message-ID", "Content-Type", "MIME-Version"},
			func(name string) bool { return len(c.header.All(name)) > 1 })
	}},
	{"made in the future", "they do not look at t=", refused, "", func(c *compared) bool { return time.Until(c.seconds("t")) > 290*time.Second }},
	{"x= not after t=", "RFC 6376 §3.5; they do not compare them", refused, "", func(c *compared) bool { return hasTag("x")(c) && hasTag("t")(c) }},
	{"digits of t= and x=", "RFC 6376 §3.5: digits, twelve at most; they read any int64", refused, "", tagsMatch(`^$|[^0-9]|.{13}`, "t", "x")},
	{"syntax of the list", "RFC 6376 §3.2: no empty tags, names of letters, digits and underscores, no control characters, folds as they must be; 64 tags are our limit", refused, "", oddList},
	{"white space in values", "it belongs into h= and base64 only, and is SP, HTAB and folds; they drop all of Unicode's, everywhere", refused, "", func(c *compared) bool {
		return tagsMatch(`[\s\x85\xa0]|[^\x00-\x7f]`, "d", "s", "i", "a", "c", "q", "t", "x", "v")(c) || tagsMatch(`[\v\f\x85\xa0]|[^\x00-\x7f]`, "bh", "b")(c)
	}},
	{"no host name in d= or s=", "LDH labels and the underscore are asked for, nothing else, and d= has two labels", refused, "", func(c *compared) bool {
		d, err := domain.Parse(c.tags["d"])
		_, err2 := domain.Parse(c.tags["s"])
		return err != nil || err2 != nil || d.Labels() < 2
	}},
	{"i= is no address", "RFC 6376 §3.5: a domain after an @; they look at the end of the text", refused, "", func(c *compared) bool {
		i := c.tags["i"]
		_, err := domain.Parse(i[strings.LastIndexByte(i, '@')+1:])
		return hasTag("i")(c) && (err != nil || !strings.Contains(i, "@"))
	}},
	{"names in h=", "RFC 6376 §3.5: field names, between colons", refused, "", func(c *compared) bool {
		return slices.ContainsFunc(strings.Split(c.tags["h"], ":"), func(name string) bool { return !signedName.MatchString(name) })
	}},
	{"our limits", "256 names, 16 KiB, 10 signatures", refused, "", func(c *compared) bool {
		return strings.Count(c.tags["h"], ":") >= dkim.MaxNames || len(c.field.Value) > dkim.MaxFieldBytes || len(c.header.All("DKIM-Signature")) > dkim.MaxSignatures
	}},
	{"empty bh= or b=", "no base64: malformed here, a mismatch there", refused, fails, tagsMatch(`^$`, "bh", "b")},
	{"empty c=", "they take it for simple", refused, "", tagsMatch(`^$|^/`, "c")},
	// What we hash otherwise.
	{"bare LF in the body", "an octet for us; a line end for them", "", "", func(c *compared) bool { return bareLF.Match(c.body) }},
	{"bare CR in a relaxed body", "an octet for us; they drop the blanks before it, and all CRs at the end", "", "", func(c *compared) bool {
		return strings.HasSuffix(c.tags["c"], "/relaxed") && bareCR.Match(c.body)
	}},
	{"bare CR or LF in the header", "the MTA has split the header for us; they split it at LF and take CR for a blank", "", "", func(c *compared) bool {
		return bareLF.Match(c.block) || bareCR.Match(c.block)
	}},
	{"odd field names", "RFC 6376 §3.4.2 lowers ASCII and drops blanks before the colon, no more", "", "", func(c *compared) bool {
		return slices.ContainsFunc(c.header, func(f message.Field) bool { return !fieldName.MatchString(f.Name) })
	}},
	{"line without colon", "an MTA passes none on; they keep it as it is", "", "", func(c *compared) bool { return noColon(c.block) }},
	{"DKIM-Signature in h=", "RFC 6376 §3.5: never the one being verified; they may take it", "", "", tagsMatch(`(?i)dkim-signature`, "h")},
	{"removal of b=", "they empty whatever follows a \"b=\", in any tag", "", "", func(c *compared) bool {
		tags := strings.Split(c.field.Value, ";")
		for i, tag := range tags {
			if name, _, ok := strings.Cut(tag, "="); ok && strings.TrimSpace(name) == "b" {
				tags[i] = name + "="
			}
		}
		return emptied.ReplaceAllString(c.field.Value, "$1") != strings.Join(tags, ";")
	}},
}

var (
	tagName    = regexp.MustCompile(`^[ \t\r\n]*[A-Za-z][A-Za-z0-9_]*[ \t\r\n]*$`)
	control    = regexp.MustCompile(`[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r[^\n]|[^\r]\n|\r\n[^ \t]|\r\n$|\r$`)
	bareLF     = regexp.MustCompile(`(^|[^\r])\n`)
	bareCR     = regexp.MustCompile(`\r([^\n]|$)`)
	fieldName  = regexp.MustCompile(`^[!-9;-~]+[ \t]*$`)
	signedName = regexp.MustCompile(`^[ \t\r\n]*[!-9;-~]+[ \t\r\n]*$`)
	emptied    = regexp.MustCompile(`(b\s*=)[^;]+`) // their expression
)

func oddList(c *compared) bool {
	text := strings.TrimSuffix(strings.TrimRight(c.field.Value, " \t\r\n"), ";")
	tags := strings.Split(text, ";")
	return len(tags) > 64 || control.MatchString(text) || slices.ContainsFunc(tags, func(tag string) bool {
		name, _, ok := strings.Cut(tag, "=")
		return !ok || !tagName.MatchString(name)
	})
}

// noColon finds a line that begins a field and has no colon.
func noColon(block []byte) bool {
	return slices.ContainsFunc(strings.Split(string(block), "\r\n"), func(line string) bool {
		return line != "" && line[0] != ' ' && line[0] != '\t' && !strings.Contains(line, ":")
	})
}

// seconds returns the time in a tag; the zero time when there is none.
func (c *compared) seconds(tag string) time.Time {
	n, err := strconv.ParseInt(c.tags[tag], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

func hasTag(name string) func(*compared) bool {
	return func(c *compared) bool { _, ok := c.tags[name]; return ok }
}

// tagsMatch is true when one of the tags is there and matches.
func tagsMatch(expression string, names ...string) func(*compared) bool {
	re := regexp.MustCompile(expression)
	return func(c *compared) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			value, ok := c.tags[name]
			return ok && re.MatchString(value)
		})
	}
}

// intended returns the names of the differences that explain c.
func intended(c *compared) []string {
	var names []string
	for _, d := range differences {
		if (d.ours == "" || d.ours == c.ours) && (d.theirs == "" || d.theirs == c.theirs) && d.applies(c) {
			names = append(names, d.name)
		}
	}
	return names
}

// compare verifies a message with both. It returns nil where they do not see the
// same signatures.
func compare(zone *dnstest.Zone, raw []byte) []*compared {
	header, body := split(raw)
	block, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	ours := verify(dkim.Verifier{Resolver: zone, Now: time.Now}, header, body)
	theirs, err := msgauth.VerifyWithOptions(bytes.NewReader(raw), &msgauth.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		answer, err := zone.TXT(context.Background(), name)
		if err != nil {
			return nil, err
		}
		return answer.Records, nil
	}})
	if err != nil || len(ours) != len(theirs) {
		return nil
	}
	signatures := []*compared{}
	for _, f := range header {
		if !strings.EqualFold(strings.TrimRight(f.Name, " \t"), "DKIM-Signature") {
			continue
		}
		at := len(signatures)
		c := &compared{block: block, body: body, header: header, field: f, tags: map[string]string{}, err: ours[at].Err}
		for _, tag := range strings.Split(f.Value, ";") {
			name, value, _ := strings.Cut(tag, "=")
			c.tags[strings.TrimSpace(name)] = strings.Trim(value, " \t\r\n")
		}
		c.ours, c.theirs = fate(ours[at].Result), theirFate(theirs[at].Err)
		signatures = append(signatures, c)
	}
	return signatures
}

func fate(result dkim.Result) string {
	switch result {
	case dkim.Pass:
		return passes
	case dkim.Fail:
		return fails
	}
	return refused
}

func theirFate(err error) string {
	switch {
	case err == nil:
		return passes
	case msgauth.IsPermFail(err), msgauth.IsTempFail(err):
		return refused
	}
	return fails
}

// keys publishes the keys of s that the comparison needs.
func (s *signer) keys() ed25519.PrivateKey {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	s.publish("test._domainkey.example.com", "v=DKIM1; t=y; ")
	s.publish("strict._domainkey.example.com", "v=DKIM1; t=s; ")
	s.publish("s0._domainkey.xn--bcher-kva.example", "")
	s.publish("s0._domainkey.localhost", "")
	s.zone.Add("ed._domainkey.example.com", "TXT", fmt.Sprintf("k=ed25519; p=%s", base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey))))
	return private
}

// render is the inverse of split.
func render(header message.Header, body string) []byte {
	var b bytes.Buffer
	for _, f := range header {
		fmt.Fprintf(&b, "%s:%s\r\n", f.Name, f.Value)
	}
	return append(b.Bytes(), "\r\n"+body...)
}

// TestDifferences shows each intended difference.
func TestDifferences(t *testing.T) {
	s := newSigner(t, 1024)
	s.keys()
	now := time.Now().Unix()
	shown := map[string]bool{}
	check := func(name, ours, theirs string, raw []byte) {
		t.Helper()
		signatures := compare(s.zone, raw)
		if len(signatures) == 0 {
			t.Fatalf("%s: the two see other signatures in %q", name, raw)
		}
		c := signatures[0]
		if c.ours != ours || c.theirs != theirs {
			t.Errorf("%s: here %s (%v), there %s; want %s and %s", name, c.ours, c.err, c.theirs, ours, theirs)
		} else if names := intended(c); !slices.Contains(names, name) {
			t.Errorf("%s: explained as %q", name, names)
		}
		shown[name] = true
	}
	sealed := func(old, replacement string, header message.Header, body string) []byte {
		t.Helper()
		if !strings.Contains(plain, old) {
			t.Fatalf("%q is not in the plain signature", old)
		}
		return render(seal(t, s.key, header, []byte(body), strings.Replace(plain, old, replacement, 1)), body)
	}
	with := func(name, ours, theirs, old, replacement string) {
		t.Helper()
		check(name, ours, theirs, sealed(old, replacement, letter, letterBody))
	}
	plus := func(name, value string) message.Header {
		return append(slices.Clone(letter), message.Field{Name: name, Value: value})
	}
	if c := compare(s.zone, sealed("", "", letter, letterBody)); c[0].ours != passes || c[0].theirs != passes {
		t.Fatal("the plain signature does not pass both")
	}
	with("l=", passes, fails, "s=s0", fmt.Sprintf("s=s0; l=%d", letterSize))
	with("l=", refused, fails, "s=s0", "s=s0; l=3")
	with("U-labels", passes, refused, "d=example.com", "d=bücher.example")
	with("case and final dot of i=", passes, refused, "s=s0", "s=s0; i=@EXAMPLE.com")
	with("case and final dot of i=", passes, refused, "d=example.com", "d=example.com.; i=@example.com")
	with("expired a moment ago", passes, refused, "s=s0", fmt.Sprintf("s=s0; x=%d", now-100))
	with("t=y", refused, passes, "s=s0", "s=test")
	with("t=s", refused, passes, "s=s0", "s=strict; i=@a.example.com")
	with("made in the future", refused, passes, "s=s0", fmt.Sprintf("s=s0; t=%d", now+1000))
	with("x= not after t=", refused, passes, "s=s0", fmt.Sprintf("s=s0; t=%d; x=%d", now+100, now+100))
	with("digits of t= and x=", refused, passes, "s=s0", "s=s0; t=+1")
	with("digits of t= and x=", refused, passes, "s=s0", "s=s0; x=1000000000000")
	with("syntax of the list", refused, passes, "s=s0;", "s=s0;;")
	with("syntax of the list", refused, passes, "s=s0", "s=s0; a-c=d")
	with("syntax of the list", refused, passes, "s=s0", "s=s0; x_1=\x01")
	many := ""
	for i := range 64 {
		many += fmt.Sprintf("; x%d=", i)
	}
	with("syntax of the list", refused, passes, "s=s0", "s=s0"+many)
	with("white space in values", refused, passes, "d=example.com", "d=example. com")
	with("white space in values", refused, passes, "c=relaxed/relaxed", "c=relaxed/ relaxed")
	with("white space in values", refused, passes, "bh=BODYHASH", "bh=BODYHASH\u00a0")
	with("no host name in d= or s=", refused, passes, "d=example.com", "d=localhost")
	with("i= is no address", refused, passes, "s=s0", "s=s0; i=a.example.com")
	with("names in h=", refused, passes, "From:To", "From:To:")
	with("our limits", refused, passes, "From:To", "From:To"+strings.Repeat(":x", 256))
	with("our limits", refused, passes, "s=s0", "s=s0; z="+strings.Repeat("x", 16<<10))
	with("empty bh= or b=", refused, fails, "bh=BODYHASH", "bh=")
	with("empty c=", refused, passes, "c=relaxed/relaxed", "c=")
	with("removal of b=", passes, fails, "s=s0", "s=s0; xb=abc")
	with("DKIM-Signature in h=", passes, fails, "From:To", "From:DKIM-Signature:To")
	check("second From, Subject, …", refused, passes, append([]byte("Subject: x\r\n"), sealed("", "", letter, letterBody)...))
	check("bare LF in the body", passes, fails, sealed("", "", letter, "a\nb\r\n"))
	check("bare CR in a relaxed body", passes, fails, sealed("", "", letter, "a \rb\r\n"))
	check("bare CR or LF in the header", passes, fails, sealed(":To", ":X", plus("X", " a\rb"), letterBody))
	check("odd field names", passes, fails, sealed(":To", ":Received", plus("Received\v", " x"), letterBody))
	check("line without colon", passes, fails, bytes.Replace(sealed("c=relaxed/relaxed; d=example.com; s=s0;\r\n\th=From:To", "d=example.com; s=s0;\r\n\th=From:Junk", plus("Junk", ""), letterBody), []byte("\nJunk:"), []byte("\nJunk"), 1))

	for _, d := range differences {
		if !shown[d.name] {
			t.Errorf("%s: no message shows it", d.name)
		}
	}
}

// fields makes a header of what the fuzzer gives, and of a From.
func fields(text string) string {
	header := "From: A <a@example.com>\r\n"
	for _, line := range strings.Split(strings.ReplaceAll(text, "\r", ""), "\n") {
		switch {
		case line == "":
			continue
		case line[0] != ' ' && line[0] != '\t' && !strings.Contains(line, ":"):
			line = "X: " + line
		}
		header += line + "\r\n"
	}
	return header
}

// mutate alters raw as script says, four octets for each alteration.
func mutate(raw, script []byte) []byte {
	inserts := []string{" ", "\t", "\r\n ", "\r\n", "\r", "\n", "\x00", ";", "; ;", ":", "=", "b=", "; l=3", "; x=1", "; t=0", "; i=@example.com", "; q=dns/txt", "; z=a|b", "; v=1", "\xe4", "\u00a0", "/", "Subject: x\r\n", "From: x\r\n"}
	for ; len(script) >= 4 && len(raw) > 0; script = script[4:] {
		at := (int(script[1])<<8 | int(script[2])) % len(raw)
		var edit string
		end := at
		switch what := script[3]; script[0] % 6 {
		case 0: // replace an octet
			edit, end = string([]byte{what}), at+1
		case 1: // flip a bit
			edit, end = string([]byte{raw[at] ^ 1<<(what%8)}), at+1
		case 2: // drop octets
			end = min(len(raw), at+1+int(what%8))
		case 3: // double octets
			edit = string(raw[at:min(len(raw), at+int(what%64))])
		default:
			edit = inserts[int(what)%len(inserts)]
		}
		raw = slices.Concat(raw[:at], []byte(edit), raw[end:])
	}
	return raw
}

// FuzzDifferential: any message that go-msgauth signs, and any mutation of it,
// gets the same verdict from both, but for the intended differences.
func FuzzDifferential(f *testing.F) {
	f.Add("Subject:  hello\n there\nTo:\tb@example.net", []byte("a  b \r\n\r\n c\t\r\n\r\n"), byte(0), []byte{})
	f.Add("Subject: x\nsubject : y", []byte(""), byte(1), []byte{0, 0, 40, 'x'})
	f.Add("Date: x\nX-Y:z ", []byte("no end"), byte(6), []byte{4, 0, 60, 12, 1, 1, 200, 0})
	f.Add("MIME-Version: 1.0", []byte("\r\n \r\n"), byte(11), []byte{4, 0, 10, 2, 4, 0, 200, 0})
	f.Add("To: a\nTo: b", []byte("a\r\nb"), byte(31), []byte{3, 0, 30, 63, 2, 2, 0, 3})
	s := newSigner(f, 1024)
	private := s.keys()
	f.Fuzz(func(t *testing.T, header string, body []byte, mode byte, script []byte) {
		if len(header) > 4<<10 || len(body) > 8<<10 || len(script) > 400 {
			return
		}
		options := &msgauth.SignOptions{
			Domain: "example.com", Selector: "s0", Signer: s.key, Hash: crypto.SHA256,
			HeaderCanonicalization: msgauth.Canonicalization([]dkim.Canon{dkim.Simple, dkim.Relaxed}[mode&1]),
			BodyCanonicalization:   msgauth.Canonicalization([]dkim.Canon{dkim.Simple, dkim.Relaxed}[mode>>1&1]),
		}
		if mode&4 != 0 {
			options.HeaderKeys = []string{"From", "Subject", "Subject", "To", "X-Absent", "from"}
		}
		switch mode >> 3 & 7 {
		case 0:
			options.Selector = "test"
		case 1:
			options.Selector, options.Identifier = "strict", "x@a.example.com"
		case 2, 3, 4:
			options.Selector, options.Signer = "ed", private
		}
		raw := []byte(fields(header) + "\r\n" + string(body))
		for range 1 + mode>>7 {
			var signed bytes.Buffer
			if err := msgauth.Sign(&signed, bytes.NewReader(raw), options); err != nil {
				return
			}
			raw = signed.Bytes()
		}
		raw = mutate(raw, script)
		block, _, whole := bytes.Cut(raw, []byte("\r\n\r\n"))
		if !whole || bytes.HasPrefix(raw, []byte("\r\n")) {
			return // no header, or no end of it
		}
		signatures := compare(s.zone, raw)
		if signatures == nil && !bareLF.Match(block) && !bareCR.Match(block) && !noColon(block) && !slices.ContainsFunc(splitHeader(raw), func(f message.Field) bool { return !fieldName.MatchString(f.Name) }) {
			t.Errorf("the two see other signatures in %q", raw)
		}
		for _, c := range signatures {
			if c.ours != c.theirs && len(intended(c)) == 0 {
				t.Errorf("here %s (%v), there %s, and no reason for it:\n%q", c.ours, c.err, c.theirs, raw)
			}
		}
	})
}

func splitHeader(raw []byte) message.Header {
	header, _ := split(raw)
	return header
}

// FuzzSealed is FuzzDifferential for signature fields that no signer would write
// and that are true all the same.
func FuzzSealed(f *testing.F) {
	f.Add(plain, []byte{4, 0, 30, 1, 4, 0, 90, 16}, "Subject: x", []byte("a  b \r\n\r\n"))
	f.Add(" v=1;a=rsa-sha256 ; c=simple/relaxed;\r\n d=EXAMPLE.com;s=s0;i=joe@a.example.com;q=dns/txt;l=3;t=1;x=999999999999;z=a|b; h= from : \r\n\tto; bh= BODYHASH; b =\tSIGNATURE ;", []byte{3, 0, 10, 5}, "To: y", []byte("abc"))
	f.Add(" bh=BODYHASH; h=From:From:Subject; s=strict; d=example.com; b=SIGNATURE; a=rsa-sha256; xb=c; v=1", []byte{}, "Subject: x\nSubject: y", []byte("a \rb\n"))
	s := newSigner(f, 1024)
	s.keys()
	f.Fuzz(func(t *testing.T, template string, script []byte, header string, body []byte) {
		template = string(mutate([]byte(template), script[:min(len(script), 40)]))
		if len(header) > 4<<10 || len(body) > 8<<10 || len(template) > 20<<10 || breaks.MatchString(template) {
			return
		}
		unsigned := splitHeader([]byte(fields(header) + "\r\n"))
		raw := render(seal(t, s.key, unsigned, body, template), string(body))
		block, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		for _, c := range compare(s.zone, raw) {
			if c.ours != c.theirs && len(intended(c)) == 0 {
				t.Errorf("here %s (%v), there %s, and no reason for it:\n%q", c.ours, c.err, c.theirs, block)
			}
		}
	})
}

// breaks finds a line end that is no fold.
var breaks = regexp.MustCompile(`\r\n([^ \t]|$)`)
