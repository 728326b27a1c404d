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
	quiet, assay := f.quiet.filters[0], f.assay.filters[0]
	setups := []struct {
		name, milter string
		filter       *process
	}{
		{"none", "", nil},
		{"no-op, no replies, unix socket", "unix:" + quiet.socket, quiet},
		{"assay, unix socket", "unix:" + assay.socket, assay},
		{"assay, TCP", "inet:127.0.0.1:8891", assay},
	}
	var mtas []*mtatest.MTA
	for _, s := range setups {
		mtas = append(mtas, mtatest.StartPostfix(b, sink, s.milter))
	}
	relay := func(i int) (perSecond, cpu float64) {
		used := time.Duration(0)
		if p := setups[i].filter; p != nil {
			used -= p.cpu()
		}
		began := time.Now()
		sent := pour(b, mtas[i].Addr, f.one.mails, began.Add(*length))
		delivered := sink.Wait(b, sent)
		took := time.Since(began)
		for _, d := range delivered {
			if header, _, _ := strings.Cut(string(d.Data), "\r\n\r\n"); i >= 2 && !passes(header, 1) {
				b.Fatalf("not verified: %s", header)
			}
		}
		if p := setups[i].filter; p != nil {
			used += p.cpu()
		}
		return float64(sent) / took.Seconds(), float64(used) / float64(sent)
	}
	all := make([][]float64, len(setups))    // messages/s
	ratios := make([][]float64, len(setups)) // to those without
	cpus := make([][]float64, len(setups))   // of a message in the filter
	for n := range *rounds + 1 {
		for i := range setups {
			rate, cpu := relay(i)
			if n == 0 { // caches fill, and processes start
				continue
			}
			all[i], cpus[i] = append(all[i], rate), append(cpus[i], cpu)
			ratios[i] = append(ratios[i], rate/all[0][n-1])
		}
	}
	fmt.Print("\n| filter of Postfix | messages/s | times those without | at least | CPU of the filter, s per 1,000 |\n|---|---|---|---|---|\n")
	for i, s := range setups {
		ratio, least := median(ratios[i]), []string{"", "", "0.9", "0.9"}[i]
		shown := f.bar("Postfix with "+s.name, least == "" || ratio >= 0.9, fmt.Sprintf("%.2f", ratio))
		fmt.Printf("| %s | %.0f | %s | %s | %s |\n", s.name, median(all[i]), shown, least, milliseconds(median(cpus[i])))
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
