package peers

import (
	"fmt"
	"testing"
)

// large asks: how much does a filter grow by one message of 50 MiB?
func (f *field) large(b *testing.B) {
	message := f.office.kind(b, "50 MiB", 1, func(n int) (fields, body string) {
		if n > 0 {
			return "", "one is enough\r\n"
		}
		return "Content-Type: text/plain\r\n", prose(1, 50<<20)
	}).mails[0]
	fmt.Print("\n| filter | growth by a message of 50 MiB, MiB | at most |\n|---|---|---|\n")
	for i, c := range f.verifiers() {
		growth, err := grow(c, message)
		shown, most := fmt.Sprintf("%.1f", float64(growth)/(1<<20)), ""
		if err != nil {
			shown += ", but " + firstLine(err)
		}
		if i == 0 {
			shown, most = f.bar("growth by a message of 50 MiB", growth <= 5<<20 && err == nil, shown), "5"
		}
		fmt.Printf("| %s | %s | %s |\n", c.name, shown, most)
	}
}

// grow delivers a message and returns by how much it raised the memory of the
// contender, in octets.
func grow(c contender, m mail) (growth int64, err error) {
	for _, p := range c.filters {
		p.forgetPeak()
		growth -= p.peak()
	}
	w, err := open(c)
	if err != nil {
		return 0, err
	}
	results, _, err := w.deliver(m.Message)
	if err == nil && !passes(results, m.signatures) {
		err = fmt.Errorf("not verified: %s", results)
	}
	w.close()
	for _, p := range c.filters {
		growth += p.peak()
	}
	return growth, err
}
