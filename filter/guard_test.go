package filter

import (
	"bytes"
	"log/slog"
	"testing"
)

// TestGuardTakesBack: where a fault of ours interrupts the edits of a message, the
// MTA gets none of them, and what it was told before.
func TestGuardTakesBack(t *testing.T) {
	var log bytes.Buffer
	c := &conn{}
	s := &session{server: &Server{log: slog.New(slog.NewTextHandler(&log, nil))}, conn: c}
	s.tx = &transaction{session: s}
	c.proceed()
	before := bytes.Clone(c.out)
	s.guard("test", func() {
		c.deleteField(2, "Authentication-Results")
		panic("in the middle")
	})
	if !bytes.Equal(c.out, before) || s.tx.unable == nil || s.server.panics.Load() != 1 {
		t.Errorf("%q is sent, want %q; unable: %v", c.out, before, s.tx.unable)
	}
}
