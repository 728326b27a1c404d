package peers

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// table gathers what is measured, and prints it as it stands in
// docs/performance.md.
type table struct {
	b      *testing.B
	office *postOffice
	rows   []string
}

// round is one turn of every cell, and what the cryptography of a message of the
// first takes by itself.
type round struct {
	turns []turn
	bare  time.Duration
}

type series []round

// run gives every cell its turn in every round, and adds a row for each to the
// table.
func (t *table) run(rounds int, cells []cell) (all series) {
	for range rounds {
		one := round{bare: t.office.bare(t.b, cells[0].mails[0])}
		for _, c := range cells {
			one.turns = append(one.turns, drive(t.b, c.contender, c.mails, c.connections, *length, t.office.zone))
		}
		all = append(all, one)
	}
	for i, c := range cells {
		t.row(c, all, i)
	}
	return all
}

// bare is the processor time of SHA-256 over a message and of an RSA verification
// for each of its signatures.
func (p *postOffice) bare(t testing.TB, m mail) time.Duration {
	t.Helper()
	digest := sha256.Sum256(m.Raw)
	signature, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const n = 1000
	began := threadTime(t)
	for range n {
		digest = sha256.Sum256(m.Raw)
		for range m.signatures {
			if err := rsa.VerifyPKCS1v15(&p.key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				t.Fatal(err)
			}
		}
	}
	return (threadTime(t) - began) / n
}

func threadTime(t testing.TB) time.Duration {
	t.Helper()
	const thisThread = 1 // RUSAGE_THREAD
	var used syscall.Rusage
	if err := syscall.Getrusage(thisThread, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// row is the line of a cell, of medians over the rounds.
func (t *table) row(c cell, all series, i int) {
	var sum turn
	for _, one := range all {
		sum.add(one.turns[i])
	}
	if c.contender.name == "assay" && sum.err != nil {
		t.b.Errorf("assay: %v", sum.err)
	}
	if sum.messages == 0 {
		t.rows = append(t.rows, fmt.Sprintf("| %s | %d | %s | could not be measured: %s |", c.kind, c.connections, c.contender.name, firstLine(sum.err)))
		return
	}
	cpu := milliseconds(all.median(cpuOf(i)))
	if len(c.filters) == 3 {
		cpu += fmt.Sprintf(" (without pyspf-milter %s)", milliseconds(all.median(cpuOf(i, 1, 2))))
	}
	verified := "all"
	switch {
	case c.idle:
		verified = "none"
	case sum.verified < sum.messages:
		verified = fmt.Sprintf("%d of %d", sum.verified, sum.messages)
		t.b.Errorf("%s, %s: %s messages verified", c.contender.name, c.kind, verified)
	}
	if sum.err != nil {
		verified += fmt.Sprintf(" but %d that failed: %s", sum.failed, firstLine(sum.err))
	}
	slices.Sort(sum.waits)
	t.rows = append(t.rows, fmt.Sprintf("| %s | %d | %s | %.0f | %s | %d | %d | %s / %s | %s |", c.kind, c.connections, c.contender.name,
		all.median(func(one round) float64 { return float64(one.turns[i].messages) / one.turns[i].took.Seconds() }),
		cpu, sum.peak>>20, sum.queries*1000/sum.messages,
		milliseconds(float64(sum.waits[len(sum.waits)/2])), milliseconds(float64(sum.waits[len(sum.waits)*99/100])), verified))
}

// firstLine keeps a table a table.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.ReplaceAll(line, "|", "/")
}

func milliseconds(ns float64) string { return fmt.Sprintf("%.2f", ns/1e6) }

// print prints the table.
func (t *table) print() {
	fmt.Println()
	fmt.Println("| message, signatures | connections | filter | messages/s | CPU, s per 1,000 | peak RSS, MiB | DNS queries per 1,000 | wait at the end, p50 / p99, ms | verified |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, row := range t.rows {
		fmt.Println(row)
	}
}

// cpuOf is the processor time of a message of the i-th cell, in nanoseconds, in
// these of its filters or all.
func cpuOf(i int, filters ...int) func(round) float64 {
	return func(r round) float64 { return float64(r.turns[i].perMessage(filters...)) }
}

// peakOf is the most memory that the i-th cell's filters had, in octets.
func peakOf(i int) func(round) float64 {
	return func(r round) float64 { return float64(r.turns[i].peak) }
}

// median is that of a figure over the rounds in which it could be measured.
func (s series) median(figure func(round) float64) float64 {
	var all []float64
	for _, r := range s {
		if value := figure(r); value > 0 {
			all = append(all, value)
		}
	}
	return median(all)
}

// ratio is the median of what one figure is of another in the same round.
func (s series) ratio(of, to func(round) float64) float64 {
	return s.median(func(r round) float64 {
		if to(r) == 0 {
			return 0
		}
		return of(r) / to(r)
	})
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
