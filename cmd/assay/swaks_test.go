package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestSwaks sends a message with the program that operators try their servers with.
func TestSwaks(t *testing.T) {
	swaks := swaksProgram(t)
	eachMTA(t, func(t *testing.T, s *stage) {
		c := parseArticle(t, article)
		s.use(c.settings(t, s.place, c.zone(t, s.place).Serve(t)))
		who := []string{"--xclient-addr", "192.0.2.7", "--xclient-name", "mail.yourcompany.com"}
		if !s.mta.XCLIENT {
			who = []string{"--local-interface", s.place("192.0.2.7")}
		}
		said, err := exec.Command(swaks, append(who, "--server", s.mta.Addr, "--helo", "mail.yourcompany.com",
			"--from", "you@yourcompany.com", "--to", "tom@rcpt.test")...).CombinedOutput()
		if err != nil {
			t.Fatalf("swaks: %v\n%s", err, said)
		}
		got := s.sink.Wait(t, 1)[0]
		if !bytes.Contains(got.Data, []byte("This is a test mailing")) {
			t.Errorf("not the message of swaks: %q", got.Data)
		}
		var o outcome
		o.read(parseDelivered(got.Data), nil)
		wantResults(t, o.field, s.place, "spf=pass (matched a) smtp.mailfrom=yourcompany.com", "dkim=none",
			"dmarc=pass (p=reject) header.from=yourcompany.com policy.dmarc=reject",
			"iprev=pass (mail.yourcompany.com) policy.iprev=192.0.2.7")
	})
}

// swaksProgram returns where swaks is. Without it the test is skipped, or fails where
// ASSAY_REQUIRE_MTA says that nothing may be missing.
func swaksProgram(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("swaks")
	if err == nil {
		return program
	}
	if os.Getenv("ASSAY_REQUIRE_MTA") == "1" {
		t.Fatalf("%v, and ASSAY_REQUIRE_MTA is set", err)
	}
	fmt.Fprintf(os.Stderr, "SKIPPED %s: %v; \"make deps\" installs it\n", t.Name(), err)
	t.Skip(err)
	return ""
}
