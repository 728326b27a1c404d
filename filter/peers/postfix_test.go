package peers

import (
	"fmt"
	"net/smtp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"assay/filter/mtatest"
)

// postfix asks: how much slower does assay make a Postfix that has no filter?
// Messages of 20 KiB come in on ten connections, each on one of its own; they count
// when they have been delivered. What a milter costs that does nothing is Postfix's share.
func (f *field) postfix(b *testing.B) {
	sink := mtatest.StartSink(b)
	setups := []struct{ name, milter string }{
		{"none", ""},
		{"no-op, no replies, unix socket", "unix:" + f.quiet.filters[0].socket},
		{"assay, unix socket", "unix:" + f.path("assay.sock")},
		{"assay, TCP", "inet:127.0.0.1:8891"},
	}
	var mtas []*mtatest.MTA
	for _, s := range setups {
		mtas = append(mtas, mtatest.StartPostfix(b, sink, s.milter))
	}
	relay := func(i int) (perSecond float64) {
		began := time.Now()
		sent := pour(b, mtas[i].Addr, f.one.mails, began.Add(*length))
		delivered := sink.Wait(b, sent)
		took := time.Since(began)
		for _, d := range delivered {
			if header, _, _ := strings.Cut(string(d.Data), "\r\n\r\n"); i >= 2 && !passes(header, 1) {
				b.Fatalf("not verified: %s", header)
			}
		}
		b.Logf("%s: %d messages in %v", setups[i].name, sent, took)
		return float64(sent) / took.Seconds()
	}
	all := make([][]float64, len(setups))    // messages/s
	ratios := make([][]float64, len(setups)) // to those without
	for n := range *rounds + 1 {
		for i := range setups {
			rate := relay(i)
			if n == 0 { // caches fill, and processes start
				continue
			}
			all[i] = append(all[i], rate)
			ratios[i] = append(ratios[i], rate/all[0][n-1])
		}
	}
	fmt.Print("\n| filter of Postfix | messages/s | times those without | at least |\n|---|---|---|---|\n")
	for i, s := range setups {
		ratio, least := median(ratios[i]), []string{"", "", "0.9", "0.9"}[i]
		shown := f.bar("Postfix with "+s.name, least == "" || ratio >= 0.9, fmt.Sprintf("%.2f", ratio))
		fmt.Printf("| %s | %.0f | %s | %s |\n", s.name, median(all[i]), shown, least)
	}
}

// pour sends mail by SMTP on ten connections at a time, and returns how much.
func pour(t testing.TB, addr string, mails []mail, until time.Time) int {
	t.Helper()
	var sent atomic.Int64
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			for n := i; time.Now().Before(until); n++ {
				m := mails[n%len(mails)]
				if err := smtp.SendMail(addr, nil, m.From, m.Rcpts, m.Raw); err != nil {
					t.Errorf("sending: %v", err)
					return
				}
				sent.Add(1)
			}
		})
	}
	all.Wait()
	return int(sent.Load())
}
