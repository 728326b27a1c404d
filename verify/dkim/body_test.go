package dkim_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"assay/verify/dkim"
)

// feed hashes body, cut into chunks whose sizes are taken from sizes in turn.
func feed(canon dkim.Canon, limit int64, body []byte, sizes ...int) *dkim.BodyHash {
	var bodies dkim.Bodies
	hash := bodies.Want(canon, limit)
	for i := 0; len(body) > 0; i++ {
		n := len(body)
		if len(sizes) > 0 {
			n = min(n, sizes[i%len(sizes)])
		}
		chunk := bytes.Clone(body[:n])
		bodies.Write(chunk)
		clear(chunk) // a chunk is not kept
		body = body[n:]
	}
	bodies.Close()
	return hash
}

// checkBody compares the hash of body, fed in every way, with that of want.
func checkBody(t *testing.T, canon dkim.Canon, body, want string) {
	t.Helper()
	if got := string(oracleBody(canon, []byte(body))); got != want {
		t.Errorf("%s %q: oracle says %q, table says %q", canon, body, got, want)
	}
	sum := sha256.Sum256([]byte(want))
	check := func(how string, h *dkim.BodyHash) {
		t.Helper()
		if !bytes.Equal(h.Sum(), sum[:]) || h.Size() != int64(len(want)) {
			t.Errorf("%s %q fed %s: got %d octets with sum %x, want %q with sum %x", canon, body, how, h.Size(), h.Sum(), want, sum)
		}
	}
	check("whole", feed(canon, -1, []byte(body)))
	for size := 1; size <= 3; size++ {
		check("in small chunks", feed(canon, -1, []byte(body), size))
	}
	step := max(1, len(body)/200)
	for at := 1; at < len(body); at += step {
		check("in two", feed(canon, -1, []byte(body), at, len(body)))
	}
	for _, limit := range []int{0, 1, len(want) / 2, len(want) - 1, len(want), len(want) + 1} {
		if limit < 0 {
			continue
		}
		for _, size := range []int{1, 7, len(body) + 1} {
			cut := sha256.Sum256([]byte(want[:min(limit, len(want))]))
			h := feed(canon, int64(limit), []byte(body), size)
			if !bytes.Equal(h.Sum(), cut[:]) || h.Size() != int64(len(want)) {
				t.Errorf("%s %q l=%d: got %d octets with sum %x, want %d with %x", canon, body, limit, h.Size(), h.Sum(), len(want), cut)
			}
		}
	}
}

func TestBody(t *testing.T) {
	check := func(body, simple, relaxed string) {
		t.Helper()
		checkBody(t, dkim.Simple, body, simple)
		checkBody(t, dkim.Relaxed, body, relaxed)
	}
	// Empty bodies and empty lines.
	check("", "\r\n", "")
	check("\r\n", "\r\n", "")
	check("\r\n\r\n\r\n", "\r\n", "")
	check(strings.Repeat("\r\n", 100), "\r\n", "")
	check("\r\n\r\na", "\r\n\r\na\r\n", "\r\n\r\na\r\n")
	check("a\r\n\r\n\r\nb\r\n\r\n\r\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n")
	check("a"+strings.Repeat("\r\n", 100)+"b", "a"+strings.Repeat("\r\n", 100)+"b\r\n", "a"+strings.Repeat("\r\n", 100)+"b\r\n")
	// RFC 6376 §3.4.5.
	check(" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n")
	// The end of the last line.
	check("a", "a\r\n", "a\r\n")
	check("a\r\n", "a\r\n", "a\r\n")
	check("a\r\nb", "a\r\nb\r\n", "a\r\nb\r\n")
	check("a ", "a \r\n", "a\r\n")
	check("a\r\n ", "a\r\n \r\n", "a\r\n")
	// Blanks.
	check(" ", " \r\n", "")
	check(" \r\n", " \r\n", "")
	check("\t", "\t\r\n", "")
	check(" \r\n\t\r\n \t \r\n", " \r\n\t\r\n \t \r\n", "")
	check(" \r\n\r\n \r\n\r\n", " \r\n\r\n \r\n", "")
	check("\r\n \r\na", "\r\n \r\na\r\n", "\r\n\r\na\r\n")
	check("a\r\n \r\n\t\r\n", "a\r\n \r\n\t\r\n", "a\r\n")
	check("a \t\r\nb\t \r\n", "a \t\r\nb\t \r\n", "a\r\nb\r\n")
	check(" a\r\n", " a\r\n", " a\r\n")
	check("\ta\r\n", "\ta\r\n", " a\r\n")
	check("  \t a\t\tb c  d\r\n", "  \t a\t\tb c  d\r\n", " a b c d\r\n")
	check("a"+strings.Repeat(" ", 300)+"b"+strings.Repeat("\t", 300)+"\r\n", "a"+strings.Repeat(" ", 300)+"b"+strings.Repeat("\t", 300)+"\r\n", "a b\r\n")
	// Long lines.
	check(strings.Repeat("x", 998)+"\r\n", strings.Repeat("x", 998)+"\r\n", strings.Repeat("x", 998)+"\r\n")
	check(strings.Repeat("x ", 5000), strings.Repeat("x ", 5000)+"\r\n", strings.TrimRight(strings.Repeat("x ", 5000), " ")+"\r\n")
	check(strings.Repeat("x\t", 5000)+"y", strings.Repeat("x\t", 5000)+"y\r\n", strings.Repeat("x ", 5000)+"y\r\n")
	check(strings.Repeat("a\r\n", 3000), strings.Repeat("a\r\n", 3000), strings.Repeat("a\r\n", 3000))
	// Octets that are no text: NUL, 8-bit, no-break space, other blanks.
	check("\x00\r\n\x00 \x00", "\x00\r\n\x00 \x00\r\n", "\x00\r\n\x00 \x00\r\n")
	check("caf\xc3\xa9 \xff\xfe \xa0\xa0\r\n", "caf\xc3\xa9 \xff\xfe \xa0\xa0\r\n", "caf\xc3\xa9 \xff\xfe \xa0\xa0\r\n")
	check("a\v \f b\v\r\n", "a\v \f b\v\r\n", "a\v \f b\v\r\n")
	check(" \x1f \x00 \x08\x0b\t\x1f\r\n", " \x1f \x00 \x08\x0b\t\x1f\r\n", " \x1f \x00 \x08\x0b \x1f\r\n")
	// A bare CR or LF ends no line.
	check("a\nb\n", "a\nb\n\r\n", "a\nb\n\r\n")
	check("\n", "\n\r\n", "\n\r\n")
	check("a \n b\r\n", "a \n b\r\n", "a \n b\r\n")
	check("a\rb\r\n", "a\rb\r\n", "a\rb\r\n")
	check("\r", "\r\r\n", "\r\r\n")
	check("a\r", "a\r\r\n", "a\r\r\n")
	check("a\r\r\n", "a\r\r\n", "a\r\r\n")
	check("a\r\n\r", "a\r\n\r\r\n", "a\r\n\r\r\n")
	check("a\r\n\r\n\rb", "a\r\n\r\n\rb\r\n", "a\r\n\r\n\rb\r\n")
	check("a  \r", "a  \r\r\n", "a \r\r\n")
	check("a  \r\r\n", "a  \r\r\n", "a \r\r\n")
	check("a \r b \r\n", "a \r b \r\n", "a \r b\r\n")
	check("a\n\r\n\n\r\n", "a\n\r\n\n\r\n", "a\n\r\n\n\r\n")
	check(" \r \r \r\r\n \r\n", " \r \r \r\r\n \r\n", " \r \r \r\r\n")
	check("\r\n\r\r\n\r\n", "\r\n\r\r\n", "\r\n\r\r\n")
	// Around the sizes of the scan and of the buffer.
	for _, n := range []int{7, 8, 9, 31, 32, 33, 63, 64, 65, 511, 512, 513, 4095, 4096, 4097} {
		x := strings.Repeat("x", n)
		check(x+" \r\n"+x+"  y\r\n", x+" \r\n"+x+"  y\r\n", x+"\r\n"+x+" y\r\n")
	}
}

// TestBodyShared: several hashes of one body do not disturb each other, and the
// same wish is the same hash.
func TestBodyShared(t *testing.T) {
	body := []byte("a  b \r\n\r\nc\td\r\n\r\n\r\n")
	var bodies dkim.Bodies
	type wish struct {
		canon dkim.Canon
		limit int64
	}
	wishes := []wish{{dkim.Simple, -1}, {dkim.Relaxed, -1}, {dkim.Simple, 3}, {dkim.Relaxed, 3}, {dkim.Relaxed, 0}}
	hashes := map[wish]*dkim.BodyHash{}
	for _, w := range wishes {
		hashes[w] = bodies.Want(w.canon, w.limit)
	}
	for _, w := range wishes {
		if bodies.Want(w.canon, w.limit) != hashes[w] {
			t.Errorf("%v: a second hash was made for the same wish", w)
		}
	}
	bodies.Write(body)
	bodies.Close()
	for w, h := range hashes {
		if alone := feed(w.canon, w.limit, body); !bytes.Equal(h.Sum(), alone.Sum()) || h.Size() != alone.Size() {
			t.Errorf("%v: got %x, alone %x", w, h.Sum(), alone.Sum())
		}
	}
}

// TestOpen: once every hash has more than its l=, nobody needs the rest.
func TestOpen(t *testing.T) {
	var bodies dkim.Bodies
	if bodies.Open() {
		t.Error("open without any wish")
	}
	limited := bodies.Want(dkim.Simple, 4)
	bodies.Write([]byte("abcd"))
	if !bodies.Open() {
		t.Error("closed at l=: whether the body continues is not known yet")
	}
	bodies.Write([]byte("e"))
	if bodies.Open() {
		t.Error("open beyond l=")
	}
	bodies.Close()
	if limited.Size() <= 4 {
		t.Errorf("size %d does not show that the body goes on", limited.Size())
	}
	var unlimited dkim.Bodies
	unlimited.Want(dkim.Relaxed, 0)
	unlimited.Want(dkim.Relaxed, -1)
	unlimited.Write(text(100_000))
	if !unlimited.Open() {
		t.Error("closed although one hash needs all of the body")
	}
}

// TestBodyAllocations: no line, however odd, costs an allocation.
func TestBodyAllocations(t *testing.T) {
	for _, line := range []string{"text\r\n", "a  b\tc \r\n", " \rx", "\t\r\r\n", "\n", "\r", "\r\n", " "} {
		body := bytes.Repeat([]byte(line), 10_000)
		for _, canon := range []dkim.Canon{dkim.Simple, dkim.Relaxed} {
			allocs := testing.AllocsPerRun(5, func() {
				var bodies dkim.Bodies
				bodies.Want(canon, -1)
				bodies.Write(body)
				bodies.Close()
			})
			if allocs > 8 {
				t.Errorf("%s, 10,000 times %q: %v allocations, want no more than 8", canon, line, allocs)
			}
		}
	}
}

// FuzzBody: any body in any chunks has the hash of what the oracle makes of it.
func FuzzBody(f *testing.F) {
	f.Add([]byte("a  b \r\n \t\r\n\r\n"), []byte{1, 2, 3}, int16(-1))
	f.Add([]byte(" \r \n\r\r\n \t"), []byte{1}, int16(3))
	f.Add([]byte("\x00 \x1f\t\xff  \r"), []byte{5}, int16(0))
	f.Add([]byte(strings.Repeat("ordinary text with  runs\tof blanks \r\n", 200)), []byte{255, 31, 33}, int16(200))
	f.Fuzz(func(t *testing.T, body, chunks []byte, limit int16) {
		sizes := []int{}
		for _, c := range chunks {
			sizes = append(sizes, int(c)+1)
		}
		for _, canon := range []dkim.Canon{dkim.Simple, dkim.Relaxed} {
			want := oracleBody(canon, body)
			size := int64(len(want))
			if limit >= 0 {
				want = want[:min(int(limit), len(want))]
			}
			sum := sha256.Sum256(want)
			h := feed(canon, int64(limit), body, sizes...)
			if !bytes.Equal(h.Sum(), sum[:]) || h.Size() != size {
				t.Errorf("%s %q l=%d in chunks of %v: got %d octets, want %d, or sums differ", canon, body, limit, sizes, h.Size(), size)
			}
		}
	})
}
