package miltertest

import (
	"errors"
	"strings"
	"testing"
)

const editedMessage = "A: 1\r\nX: 1\r\nX: 2\r\nX: 3\r\nB: 1\r\n\r\nbody\r\n"

// delivered runs the edits and returns the header on one line, the MTA's own
// field as "Received".
func delivered(t *testing.T, p Profile, raw string, edits ...[]byte) string {
	t.Helper()
	s := agreeable(p).on(CmdEOM, append(edits, packet(RepContinue))...)
	c := s.mustDial(t, p)
	out, err := c.Deliver(message(raw))
	if err != nil {
		t.Fatal(err)
	}
	if out.Action != Accept {
		t.Fatalf("action %q", out.Action)
	}
	s.wait(t, c)
	var text []string
	for _, f := range out.Header {
		if f.Name == "Received" && strings.HasPrefix(f.Value, " from helo.example.net (") {
			text = append(text, "Received")
			continue
		}
		text = append(text, f.Name+":"+f.Value)
	}
	return strings.Join(text, "|")
}

func TestHeaderEdits(t *testing.T) {
	add := func(name, value string) []byte { return field(RepAddHeader, 0, name, value) }
	insert := func(i uint32, name, value string) []byte { return field(RepInsertHeader, i, name, value) }
	change := func(i uint32, name, value string) []byte { return field(RepChangeHeader, i, name, value) }
	remove := func(i uint32, name string) []byte { return change(i, name, "") }
	check := func(p Profile, want string, edits ...[]byte) {
		t.Helper()
		if got := delivered(t, p, editedMessage, edits...); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", edits, got, want)
		}
	}
	postfix, sendmail := Postfix(), Sendmail()

	check(postfix, "Received|A: 1|X: 1|X: 2|X: 3|B: 1")
	check(sendmail, "Received|A: 1|X: 1|X: 2|X: 3|B: 1")

	// A delete makes Postfix count anew: going up leaves a field in place.
	check(postfix, "Received|A: 1|X: 2|B: 1", remove(1, "X"), remove(2, "X"), remove(3, "X"))
	check(sendmail, "Received|A: 1|B: 1", remove(1, "X"), remove(2, "X"), remove(3, "X"))
	check(postfix, "Received|A: 1|B: 1", remove(3, "x"), remove(2, "x"), remove(1, "x"))
	check(sendmail, "Received|A: 1|B: 1", remove(3, "x"), remove(2, "x"), remove(1, "x"))
	check(postfix, "Received|A: 1|X: 1|X: 2|X: 3|B: 1", remove(4, "X"), remove(1, "Y"))
	check(sendmail, "Received|A: 1|X: 1|X: 2|X: 3|B: 1", remove(4, "X"), remove(1, "Y"))
	// A blank is not nothing.
	check(postfix, "Received|A: 1|X: 1|X: |X: 3|B: 1", change(2, "X", " "))

	// Inserting counts the MTA's own field; later ones go on top.
	check(postfix, "N: n|Received|A: 1|X: 1|X: 2|X: 3|B: 1", insert(0, "N", " n"))
	check(sendmail, "N: n|Received|A: 1|X: 1|X: 2|X: 3|B: 1", insert(0, "N", " n"))
	check(postfix, "Received|N: n|A: 1|X: 1|X: 2|X: 3|B: 1", insert(1, "N", " n"))
	check(postfix, "O: o|N: n|Received|A: 1|X: 1|X: 2|X: 3|B: 1", insert(0, "N", " n"), insert(0, "O", " o"))
	check(postfix, "Received|A: 1|X: 1|X: 2|X: 3|B: 1|N: n", insert(99, "N", " n"))
	check(sendmail, "Received|A: 1|X: 1|X: 2|X: 3|B: 1|N: n", insert(1<<31, "N", " n"))
	check(postfix, "Received|X: 1|N: n|X: 2|X: 3|B: 1", remove(1, "A"), insert(2, "N", " n"))
	check(sendmail, "Received|N: n|X: 1|X: 2|X: 3|B: 1", remove(1, "A"), insert(2, "N", " n"))

	// Adding: at the end, but Sendmail puts it above its namesake.
	check(postfix, "Received|A: 1|X: 1|X: 2|X: 3|B: 1|X: n", add("X", " n"))
	check(sendmail, "Received|A: 1|X: n|X: 1|X: 2|X: 3|B: 1", add("X", " n"))
	check(sendmail, "Received|A: 1|X: 1|X: 2|X: 3|B: 1|N: n", add("N", " n"))

	// Changing, inside and outside the range.
	check(postfix, "Received|A: 1|X: 1|x: n|X: 3|B: 1", change(2, "x", " n"))
	check(sendmail, "Received|A: 1|X: 1|X: n|X: 3|B: 1", change(2, "x", " n"))
	check(postfix, "Received|A: 1|X: n|X: 2|X: 3|B: 1", change(0, "X", " n"))
	check(sendmail, "Received|A: 1|X: n|X: 1|X: 2|X: 3|B: 1", change(0, "X", " n"))
	check(postfix, "Received|A: 1|X: 1|X: 2|X: 3|B: 1|X: n", change(4, "X", " n"))
	check(sendmail, "Received|A: 1|X: 1|X: n|X: 3|B: 1", remove(2, "X"), change(2, "X", " n"))

	// What was inserted counts on Sendmail; on Postfix the topmost field never does.
	check(postfix, "X: n|Received|A: 1|X: 2|X: 3|B: 1", insert(0, "X", " n"), remove(1, "X"))
	check(sendmail, "Received|A: 1|X: 1|X: 2|X: 3|B: 1", insert(0, "X", " n"), remove(1, "X"))
	check(postfix, "Received|A: 1|X: 1|X: 2|X: 3|B: 1", remove(1, "Received"))
	check(sendmail, "Received|A: 1|X: 1|X: 2|X: 3|B: 1", remove(1, "Received"))
	check(postfix, "N: n|A: 1|X: 1|X: 2|X: 3|B: 1", insert(0, "N", " n"), remove(1, "Received"))
}

func TestLeadingBlankOfEdits(t *testing.T) {
	check := func(p Profile, value, want string) {
		t.Helper()
		if got := delivered(t, p, "A: 1\r\n\r\n", field(RepInsertHeader, 0, "N", value)); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
	check(Postfix(), " n", "N: n|Received|A: 1")
	check(Postfix(), "n", "N:n|Received|A: 1")
	check(Postfix(), " n\n\tm", "N: n\r\n\tm|Received|A: 1")
	check(V2(), "n", "N: n|Received|A: 1")
	check(V2(), " n", "N:  n|Received|A: 1")

	// The blank that the MTA adds counts as part of the line.
	long := strings.Repeat("x", MaxHeaderLine-len("N: "))
	check(V2(), long, "N: "+long+"|Received|A: 1")
	s := agreeable(V2()).on(CmdEOM, field(RepInsertHeader, 0, "N", long+"x"), packet(RepContinue))
	if _, err := s.mustDial(t, V2()).EOM(); !errors.Is(err, ErrFieldText) {
		t.Errorf("line of 999 octets: %v", err)
	}
}

func TestOtherEdits(t *testing.T) {
	p := Postfix()
	s := agreeable(p).on(CmdEOM,
		packet(RepProgress),
		packet(RepAddRcpt, "<c@rcpt.test>\x00"), packet(RepAddRcptPar, "<d@rcpt.test>\x00NOTIFY=NEVER\x00"),
		packet(RepDeleteRcpt, "<b@rcpt.test>\x00"), packet(RepChangeFrom, "<z@example.net>\x00SIZE=1\x00"),
		packet(RepReplaceBody, "new "), packet(RepReplaceBody, "body\r\n"),
		packet(RepQuarantine, "held for review\x00"), packet(RepAccept))
	c := s.mustDial(t, p)
	out, err := c.Deliver(message("A: 1\r\n\r\nold\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{string(out.Action), out.Reason, out.Sender, strings.Join(out.Rcpts, " "), string(out.Body)}
	same(t, "outcome", got, []string{"quarantine", "held for review", "z@example.net", "c@rcpt.test d@rcpt.test", "new body\r\n"})
	if got := string(out.Message()); !strings.HasSuffix(got, "+0000\r\nA: 1\r\n\r\nnew body\r\n") {
		t.Errorf("message %q", got)
	}
	if got := strings.Join(out.Fields("a"), "|"); got != " 1" {
		t.Errorf("field %q", got)
	}
	if got := out.Reply.Edits[1].String(); got != `2[0] "" "<d@rcpt.test>" "NOTIFY=NEVER"` {
		t.Errorf("edit %s", got)
	}
	s.wait(t, c)
}
