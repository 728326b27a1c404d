package peers

import (
	"flag"
	"fmt"
	"net"
	"testing"
	"time"
)

var (
	rounds = flag.Int("rounds", 6, "rounds of the cells that bars are about; the others get a third of it")
	length = flag.Duration("turn", 5*time.Second, "how long each filter works in a round")
)

// BenchmarkPeers asks: what does verifying cost here, and what beside? Every
// filter has its turn in every round, so that what else the machine does meets
// all; bars are about the median of the ratios of the rounds.
func BenchmarkPeers(b *testing.B) {
	f := newField(b)
	b.Run("Large", f.large)
	b.Run("Wait", f.wait)
	b.Run("Load", f.load)
	b.Run("Postfix", f.postfix)
	f.judge(b)
}

// field is all that takes part.
type field struct {
	office *postOffice
	*house
	assay, stack, rspamd, noOp, quiet contender

	one, three, real kind
	missed           []string // bars
}

func newField(b *testing.B) *field {
	f := &field{office: newPostOffice(b)}
	f.office.serve(b)
	f.one = f.office.kind(b, "20 KiB", 1, plain(20<<10))
	f.three = f.office.kind(b, "20 KiB", 3, plain(20<<10))
	f.real = f.office.kind(b, "real life", 2, realLife)
	f.house = newHouse(b)
	f.assay, f.stack, f.rspamd = f.runAssay(b), f.runStack(b), f.runRspamd(b)
	f.noOp, f.quiet = f.runNoOp(b, false), f.runNoOp(b, true)
	for _, c := range f.all() { // caches fill, and processes grow to their size
		drive(b, c, f.one.mails, 10, *length, f.office.zone)
	}
	return f
}

func (f *field) verifiers() []contender { return []contender{f.assay, f.stack, f.rspamd} }
func (f *field) all() []contender       { return append(f.verifiers(), f.noOp, f.quiet) }

// bar notes a figure that does not keep to its bar, and returns it for a table.
func (f *field) bar(what string, keeps bool, figure string) string {
	if keeps {
		return figure
	}
	f.missed = append(f.missed, what+": "+figure)
	return figure + " (missed)"
}

// judge fails where a bar was missed. It does so at the end: a failed Postfix would show
// its log.
func (f *field) judge(b *testing.B) {
	for _, what := range f.missed {
		b.Errorf("missed: %s", what)
	}
}

// load measures work of all kinds, and prints the large table.
func (f *field) load(b *testing.B) {
	t := table{b: b, office: f.office}
	bars := t.run(*rounds, append(cells(f.one, 10, f.all()...), cells(f.three, 10, f.verifiers()...)...))
	crowd := t.run(*rounds, cells(f.one, 50, f.all()...))
	t.run(*rounds, cells(f.real, 10, append(f.verifiers(), f.quiet)...))
	few := max(1, *rounds/3)
	small, small3 := f.office.kind(b, "2 KiB", 1, plain(2<<10)), f.office.kind(b, "2 KiB", 3, plain(2<<10))
	large, large3 := f.office.kind(b, "200 KiB", 1, plain(200<<10)), f.office.kind(b, "200 KiB", 3, plain(200<<10))
	for _, k := range []kind{small, small3, f.one, f.three, large, large3, f.real} {
		t.run(few, cells(k, 1, f.verifiers()...))
	}
	for _, k := range []kind{small, small3, f.three, large, large3, f.real} { // f.one had its turn
		t.run(few, cells(k, 50, f.verifiers()...))
	}
	t.print()

	bare := func(r round) float64 { return float64(r.bare) }
	floor := func(r round) float64 { return cpuOf(4)(r) + bare(r) }
	fmt.Print("\n| | measured | at most |\n|---|---|---|\n")
	for _, one := range []struct {
		what        string
		most, value float64
	}{
		{"CPU of a message, times OpenDKIM + OpenDMARC", 0.15, bars.ratio(cpuOf(0), cpuOf(1, 1, 2))},
		{"CPU of a message, times Rspamd", 0.25, bars.ratio(cpuOf(0), cpuOf(2))},
		{"CPU of a message, times no-op without replies and bare cryptography (" + milliseconds(bars.median(bare)) + " ms)", 1.6, bars.ratio(cpuOf(0), floor)},
		{"CPU of three signatures, times one", 1.8, bars.ratio(cpuOf(5), cpuOf(0))},
		{"RSS at 50 connections, times OpenDKIM + OpenDMARC + pyspf-milter", 1, crowd.ratio(peakOf(0), peakOf(1))},
	} {
		fmt.Printf("| %s | %s | %.3g |\n", one.what, f.bar(one.what, one.value <= one.most, fmt.Sprintf("%.3g", one.value)), one.most)
	}
}

// serve answers from the zone where private.sh has told filters to ask.
func (p *postOffice) serve(t testing.TB) {
	t.Helper()
	if packets, err := net.ListenPacket("udp", nameServer+":53"); err != nil {
		t.Fatalf("%v: this is to be run by \"make bench-peers\" or \"make soak\"", err)
	} else {
		packets.Close()
	}
	p.zone.ServeAt(t, nameServer+":53")
}

// kind is a kind of mail.
type kind struct {
	name       string
	signatures int
	mails      []mail
}

func (p *postOffice) kind(t testing.TB, name string, signatures int, content func(int) (fields, body string)) kind {
	t.Helper()
	return kind{name, signatures, p.post(t, signatures, content)}
}

func (k kind) String() string { return fmt.Sprintf("%s, %d", k.name, k.signatures) }

// cell is a line of the table: so much work for one contender.
type cell struct {
	kind
	connections int
	contender
}

func cells(k kind, connections int, contenders ...contender) (all []cell) {
	for _, c := range contenders {
		all = append(all, cell{k, connections, c})
	}
	return all
}
