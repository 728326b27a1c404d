package legacy

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"assay/config"
)

const host = "mx.example.org"

// folder is a reader of files for tests.
type folder map[string]string

func (f folder) open(path string) ([]byte, error) {
	text, ok := f[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

// importText imports one file and fails where config does not accept the
// result.
func importText(t *testing.T, path, text string, files folder) Result {
	t.Helper()
	result, err := Import([]Source{{path, []byte(text)}}, host, files.open)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if _, err := config.Parse(path, []byte(result.TOML), host); err != nil {
		t.Fatalf("%s is imported as\n%s\nwhich is refused: %v", path, result.TOML, err)
	}
	return result
}

// TestTables: every known setting has one note at least, whatever its value, and
// the notes are sentences.
func TestTables(t *testing.T) {
	for format, path := range map[Format]string{OpenDKIM: "opendkim.conf", OpenDMARC: "opendmarc.conf", PolicydSPF: "policyd-spf.conf"} {
		for name, e := range tableOf(format) {
			if e.take == nil && e.says == "" || name != strings.ToLower(name) {
				t.Errorf("%s %s: nothing is said", format, name)
			}
			for _, value := range []string{"", "yes", "no", "0", "1", "reject", "q", "/missing", "file:/there", "csl:a.example,192.0.2.1", "inet:8891@localhost", "True", "Fail", "\x00\"\\\n"} {
				between := " "
				if format == PolicydSPF {
					between = " = "
				}
				result := importText(t, path, name+between+value, folder{"/there": "a.example\n192.0.2.0/24\n"})
				noted := false
				for _, n := range result.Notes {
					noted = noted || strings.EqualFold(n.Name, name) && n.Line == 1
					if n.Text == "" || strings.ContainsAny(n.String(), "\n\x00") || n.Kind == Unknown && !strings.Contains(n.Text, "we know") {
						t.Errorf("%s %s %q: note %q", format, name, value, n)
					}
				}
				if !noted {
					t.Errorf("%s %s %q: no note", format, name, value)
				}
			}
		}
	}
}

// TestSecrets: values are not repeated.
func TestSecrets(t *testing.T) {
	result := importText(t, "opendkim.conf", "LDAPBindPassword hunter2\nInternalHosts dsn:mysql://u:hunter2@h/d\nPassword hunter2\n", nil)
	if text := fmt.Sprint(result); strings.Contains(text, "hunter2") {
		t.Errorf("got %s", text)
	}
}

func TestFormat(t *testing.T) {
	is := func(path, text string, want Format) {
		t.Helper()
		if got, err := formatOf(Source{path, []byte(text)}); got != want || (err == nil) != (want != "") {
			t.Errorf("%s with %q: got %q, %v; want %q", path, text, got, err, want)
		}
	}
	is("/etc/opendkim.conf", "", OpenDKIM)
	is("/etc/OpenDMARC.conf.bak", "", OpenDMARC)
	is("/etc/pyspf-milter/pyspf-milter.conf", "", PolicydSPF)
	for range 20 { // always the same
		is("/etc/opendkim-without-spf.conf", "", OpenDKIM)
	}
	is("a.conf", "KeyTable x\nSocket y", OpenDKIM)
	is("a.conf", "RejectFailures true\nSocket y", OpenDMARC)
	is("a.conf", "HELO_reject = Fail", PolicydSPF)
	is("a.conf", "Socket y", "")
	is("a.conf", "", "")
}

func TestHosts(t *testing.T) {
	are := func(items, networks, names, unread string) {
		t.Helper()
		h := parseHosts(strings.Fields(items))
		got := strings.Join(texts(h.networks), " ") + "; " + strings.Join(h.names, " ") + "; " + strings.Join(h.unread, " ")
		if want := networks + "; " + names + "; " + unread; got != want {
			t.Errorf("%s:\n got %s\nwant %s", items, got, want)
		}
	}
	are("192.0.2.1 [192.0.2.2] 192.0.2.3/24", "192.0.2.0/24", "", "")
	are("192.0.2.0/24 !192.0.2.0/25", "192.0.2.128/25", "", "")
	are("!192.0.2.0/25 192.0.2.0/24 192.0.2.1", "192.0.2.1/32 192.0.2.128/25", "", "")
	are("192.0.2.0/30 !192.0.2.1", "192.0.2.0/32 192.0.2.2/31", "", "")
	are("192.0.2.1 !192.0.2.1", "", "", "")
	are("!0.0.0.0/0 192.0.2.1", "192.0.2.1/32", "", "")
	are("::ffff:192.0.2.0/120 ::ffff:198.51.100.1 ::/64", "192.0.2.0/24 198.51.100.1/32 ::/64", "", "")
	are("::ffff:0:0/95 fe80::1%eth0 192.0.2 1.2.3.4/33", "", "192.0.2", "::ffff:0:0/95 fe80::1%eth0 1.2.3.4/33")
	are("localhost host .example.com *.Example.net mx.example.org !mx.example.com", "", ".example.com .example.net mx.example.org", "host !mx.example.com")
}

// TestExceptions: as many exceptions from a network as are taken, and one more.
func TestExceptions(t *testing.T) {
	for extra, want := range map[int]bool{0: true, 1: false} {
		var left []netip.Prefix
		for i := range maxLeft + extra {
			left = append(left, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 32))
		}
		got := without([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, left)
		if (len(got) > maxLeft) != want {
			t.Errorf("%d exceptions: %d networks", len(left), len(got))
		}
		for _, p := range got {
			for _, l := range left {
				if p.Overlaps(l) {
					t.Fatalf("%s is in %s", l, p)
				}
			}
		}
	}
}

// TestLimits: what a file may be, and one more.
func TestLimits(t *testing.T) {
	comment := strings.Repeat("#", MaxFileBytes)
	importText(t, "opendkim.conf", comment, nil)
	if _, err := Import([]Source{{"opendkim.conf", []byte(comment + "#")}}, host, folder{}.open); !errors.Is(err, ErrSize) {
		t.Errorf("got %v, want ErrSize", err)
	}
	items := func(n int) folder {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "10.%d.%d.0/24\n", i/256, i%256)
		}
		return folder{"/list": b.String()}
	}
	says := func(n int, want bool) {
		t.Helper()
		result := importText(t, "opendkim.conf", "PeerList /list", items(n))
		if got := strings.Contains(result.TOML, "10.0.0.0/24"); got != want {
			t.Errorf("%d items: carried over is %v, want %v", n, got, want)
		}
	}
	says(MaxItems, true)
	says(MaxItems+1, false)

	name := strings.Repeat("d", 60) + ".example\n" // 68 bytes and a line end
	most := MaxItemBytes / 68
	result := importText(t, "opendkim.conf", "ExemptDomains /list", folder{"/list": strings.Repeat(name, most)})
	if !strings.Contains(result.TOML, "[[rule]]") {
		t.Errorf("%d names are not carried over", most)
	}
	result = importText(t, "opendkim.conf", "ExemptDomains /list", folder{"/list": strings.Repeat(name, most+1)})
	if strings.Contains(result.TOML, "[[rule]]") {
		t.Errorf("%d names are carried over", most+1)
	}

	many := folder{}
	var text strings.Builder
	for i := range MaxFiles + 1 {
		path := fmt.Sprintf("/include%d", i)
		many[path] = ""
		fmt.Fprintf(&text, "Include %s\n", path)
	}
	result = importText(t, "opendkim.conf", text.String(), many)
	if last := result.Notes[len(result.Notes)-1]; last.Kind != Missing || last.Line != MaxFiles+1 || result.Notes[len(result.Notes)-2].Kind != Equivalent {
		t.Errorf("%d files: last is %v", MaxFiles+1, last)
	}
}

func TestRefused(t *testing.T) {
	one := Source{"opendkim.conf", nil}
	if _, err := Import([]Source{one, one}, host, folder{}.open); !errors.Is(err, ErrTwice) {
		t.Errorf("twice: got %v", err)
	}
	if _, err := Import([]Source{{"main.cf", []byte("x = y")}}, host, folder{}.open); !errors.Is(err, ErrFormat) {
		t.Errorf("main.cf: got %v", err)
	}
}

func fuzz(f *testing.F, path string, seeds ...string) {
	for _, seed := range seeds {
		f.Add(seed, "192.0.2.0/24\n!192.0.2.1\nrelay.example.org\n")
	}
	f.Fuzz(func(t *testing.T, text, list string) {
		if len(text) > MaxFileBytes {
			return
		}
		files := folder{"/list": list, "/include": text}
		for _, n := range importText(t, path, text, files).Notes {
			if strings.ContainsAny(n.String(), "\n\r\x00\x1b") || n.Text == "" {
				t.Errorf("note %q", n)
			}
		}
	})
}

func FuzzOpenDKIM(f *testing.F) {
	fuzz(f, "opendkim.conf", "PeerList /list\nSocket inet:8891@localhost\nAuthservID x\n", "InternalHosts csl:10.0.0.0/8,!10.1.0.0/16\nOn-Default r\nOn-NoSignature q",
		"Include /include\nNameservers 192.0.2.1,::1\nDNSConnect y\nDNSTimeout 9\nExemptDomains a.example")
}

func FuzzOpenDMARC(f *testing.F) {
	fuzz(f, "opendmarc.conf", "IgnoreHosts /list\nRejectFailures 1\nHoldQuarantinedMessages y", "RequiredHeaders t\nRejectMultiValueFrom t\nDomainWhitelist a.example,b.example\nIgnoreMailFrom .example",
		"Socket local:/run/x\nAuthservID HOSTNAME\nRequiredHeaders yes\nDNSTimeout 0")
}

func FuzzPolicydSPF(f *testing.F) {
	fuzz(f, "policyd-spf.conf", "Mail_From_reject = SPF_Not_Pass\nskip_addresses = 127.0.0.0/8,::1\nWhitelist = 192.0.2.0/24", "TestOnly = 0\nPermError_reject = True\nTempError_Defer = True",
		"Domain_Whitelist_PTR = example.com\nReject_Not_Pass_Domains = a.example\nLookup_Time = 600\nAuthserv_Id = x")
}

// noted are the notes of a setting, of which there must be as many as given.
func noted(t *testing.T, what string, result Result, name string, want ...string) {
	t.Helper()
	var got []string
	for _, n := range result.Notes {
		if n.Name == name {
			got = append(got, string(n.Kind)+": "+n.Text)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q\nwant %q\nin\n%s", what, got, want, result.TOML)
	}
}

// TestNothingCarriedOver: where no item of a list can be carried over, no note
// says that it is.
func TestNothingCarriedOver(t *testing.T) {
	nobody := string(Equivalent) + ": it names nobody"
	tooLong := string(Missing) + ": not read: " + errLong.Error()
	names := strings.Repeat(strings.Repeat("d", 50)+".example,", MaxItemBytes/58+1)
	addresses := strings.Repeat("192.0.2.1,", MaxItems+1)
	policyd := func(what, setting, value string, want ...string) {
		t.Helper()
		noted(t, what, importText(t, "policyd-spf.conf", setting+" = "+value, nil), setting, want...)
	}
	for _, setting := range []string{"Domain_Whitelist_PTR", "HELO_Whitelist"} {
		policyd("empty "+setting, setting, "", nobody)
		policyd("bad "+setting, setting, "a b", string(Missing)+": a b is no domain")
		policyd("long "+setting, setting, names, tooLong)
	}
	policyd("long", "Whitelist", addresses, tooLong)
	policyd("long", "Reject_Not_Pass_Domains", names, tooLong)
	noted(t, "long", importText(t, "opendkim.conf", "Nameservers "+addresses, nil), "Nameservers", tooLong)
	noted(t, "bad", importText(t, "opendkim.conf", "PeerList a_b", nil), "PeerList", string(Missing)+": a_b is no network or host name that can be carried over")

	noted(t, "empty", importText(t, "opendmarc.conf", "DomainWhitelist", nil), "DomainWhitelist", nobody)
	noted(t, "below", importText(t, "opendmarc.conf", "DomainWhitelist .example.net", nil), "DomainWhitelist",
		string(Missing)+": .example.net stands for many sealers; name each")

	exceptions := "10.0.0.0/8" + strings.Repeat(",!10.0.0.1", maxLeft+1)
	noted(t, "exceptions", importText(t, "opendkim.conf", "PeerList "+exceptions, nil), "PeerList",
		fmt.Sprintf("%s: more than %d exceptions are not carried over, nor what they are from", Missing, maxLeft))
	policyd("exceptions", "Whitelist", exceptions, fmt.Sprintf("%s: more than %d exceptions are not carried over, nor what they are from", Missing, maxLeft))
}

// TestDoubledNames: as many names as are read, each of them with those below it,
// make a file that config accepts.
func TestDoubledNames(t *testing.T) {
	names := strings.Repeat(strings.Repeat("d", 50)+".example,", min(MaxItems, MaxItemBytes/58))
	result := importText(t, "policyd-spf.conf", "Domain_Whitelist_PTR = "+names, nil)
	noted(t, "doubled", result, "Domain_Whitelist_PTR", string(Missing)+": not read: "+errLong.Error())
}

// TestMaxSettings: as many settings as are read, in all files together, and one
// more.
func TestMaxSettings(t *testing.T) {
	most := strings.Repeat("Mode v\n", MaxSettings)
	importText(t, "opendkim.conf", most, nil)
	if _, err := Import([]Source{{"opendkim.conf", []byte(most + "Mode v\n")}}, host, folder{}.open); !errors.Is(err, ErrSettings) {
		t.Errorf("one more: got %v, want ErrSettings", err)
	}
	result := importText(t, "opendkim.conf", "Include /more\nMode v\n", folder{"/more": most})
	noted(t, "included", result, "Include", string(Missing)+": not read: /more: "+ErrSettings.Error())
}
