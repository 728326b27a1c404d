package arc

import (
	"fmt"
	"strings"
	"testing"

	"assay/verify/dkim"
	"assay/verify/message"
)

// BenchmarkValidate: what does a chain cost, keys in the cache?
func BenchmarkValidate(b *testing.B) {
	bench := func(name string, m *mail) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.zone.Reset()
				if got := run(m.zone, m.header, m.body); got.Result != Pass {
					b.Fatal(got.Err)
				}
			}
		})
	}
	for _, n := range []int{1, 3, MaxSets} {
		bench(fmt.Sprintf("%dsets", n), relayed(b, n))
	}
	bench("1MiB-header", largest(b))
}

// largest returns the mail with the most work in a header of about a mebibyte.
func largest(t testing.TB) *mail {
	m := newMail(t)
	for range 500 {
		m.header = append(m.header, message.Field{Name: "X", Value: strings.Repeat(" x", 500)})
	}
	for range MaxSets {
		m.seal(station{domain: "a.example", h: "from" + strings.Repeat(":x", dkim.MaxNames-1), results: strings.Repeat(" x;", 3000)})
	}
	return m
}
