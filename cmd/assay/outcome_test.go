package main

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"assay/filter/miltertest"
	"assay/verify/message"
)

// outcome is what became of a message, as the cases write it down.
type outcome struct {
	refused string // the replies to MAIL before, one a line

	reply  string // accept, hold and the reason, or the SMTP reply
	field  string // our results, one a line; "" where nothing was delivered
	fields string // which results fields are left, in order; "" where there is nothing to see, see read
	log    string // what was logged, without what differs every time
}

// delivered is a message at the other end.
type delivered struct {
	header []miltertest.Field
	body   []byte
}

// parseDelivered takes a message apart. Nothing in it is mended.
func parseDelivered(data []byte) delivered {
	head, body, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	var d delivered
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if last := len(d.header) - 1; last >= 0 && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) {
			d.header[last].Value += "\r\n" + line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		d.header = append(d.header, miltertest.Field{Name: name, Value: value})
	}
	d.body = body
	return d
}

// telling matches the fields in which results are stated, by us or by others.
var telling = regexp.MustCompile(`(?mi)^(authentication-results|x-assay-disposition|arc-[a-z-]+)[ \t]*:`)

// read fills in what is seen of the delivered message. All telling fields are
// listed where one was sent, or another than our results was added.
func (o *outcome) read(d delivered, sent []byte) {
	listed := telling.Match(sent)
	for i, f := range d.header {
		switch {
		case !telling.MatchString(f.Name + ":"):
		case i == 0:
			o.field = written(f.Value)
			id, _, _ := strings.Cut(o.field, ";")
			o.fields += f.Name + ": " + id + "; …\n"
		default:
			listed = true
			o.fields += f.Name + ": " + unfolded(f.Value) + "\n"
		}
	}
	if !listed {
		o.fields = ""
	}
}

var signatureStart = regexp.MustCompile(`header\.b=("[^"]*"|[^ ;]*)`)

// written is the value of a results field, one result a line. The start of a
// signature differs each time, and with it the folding.
func written(value string) string {
	value = signatureStart.ReplaceAllString(unfolded(value), "header.b=*")
	return strings.ReplaceAll(value, "; ", ";\n") + "\n"
}

func unfolded(value string) string { return strings.Join(strings.Fields(value), " ") }

var changing = regexp.MustCompile(`(?m)^time=\S+ | (qid|ref|took)=\S+`)

var reference = regexp.MustCompile(` \(ref [0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}\)$`)

// unreferenced is a refusal without our reference, which differs every time.
func unreferenced(reply string) string {
	if !reference.MatchString(reply) {
		return reply + " without a reference"
	}
	return reference.ReplaceAllString(reply, "")
}

// logged is the text of a log without what differs every time.
func logged(text string) string { return changing.ReplaceAllString(text, "") }

// at is the outcome with the addresses of another place.
func (o outcome) at(p place) outcome {
	return outcome{refused: p(o.refused), reply: p(o.reply), field: p(o.field), fields: p(o.fields), log: p(o.log)}
}

// compare reports what differs from the wanted outcome.
func (o outcome) compare(t *testing.T, want outcome) {
	t.Helper()
	differ := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", what, got, want)
		}
	}
	differ("refused", o.refused, want.refused)
	differ("reply", o.reply, want.reply)
	differ("field", o.field, want.field)
	differ("fields", o.fields, want.fields)
	differ("log", o.log, want.log)
}

// intact checks that the message lost nothing on its way but results fields: the
// other fields are there in their order, octet for octet, and so is the body. Ours is on
// top, and folded. The fields named in except are let off.
func (d delivered) intact(t *testing.T, c *testCase, except ...string) {
	t.Helper()
	if len(d.header) == 0 || d.header[0].Name != "Authentication-Results" {
		t.Errorf("no results on top of %q", d.header)
		return
	}
	if value := d.header[0].Value; len(value) < 2 || value[0] != ' ' || value[1] == ' ' {
		t.Errorf("not one blank before the results: %q", value)
	}
	for line := range strings.SplitSeq("Authentication-Results:"+d.header[0].Value, "\r\n") {
		if len(line) > 78 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of results: %q", line)
		}
	}
	header, in, err := message.Read(bytes.NewReader(c.message))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.body, body) {
		t.Errorf("body:\n got %.2000q\nwant %.2000q", d.body, body)
	}
	rest := d.header[1:]
	for _, f := range header {
		name := strings.ToLower(strings.TrimSpace(f.Name))
		if name == "authentication-results" || name == "x-assay-disposition" {
			continue // the case itself says what is wanted
		}
		if slices.ContainsFunc(except, func(e string) bool { return strings.EqualFold(e, name) }) {
			continue
		}
		at := 0
		for at < len(rest) && !(strings.EqualFold(rest[at].Name, strings.TrimRight(f.Name, " \t")) && rest[at].Value == f.Value) {
			at++
		}
		if at == len(rest) {
			t.Errorf("%s:%.200q is not there, or not in its place, in\n%.2000q", f.Name, f.Value, d.header)
			return
		}
		rest = rest[at+1:]
	}
}
