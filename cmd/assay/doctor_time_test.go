package main

import (
	"math"
	"testing"
	"time"
)

func TestParseMTATime(t *testing.T) {
	parses := func(text string, want time.Duration, wantOK bool) {
		t.Helper()
		if got, ok := parseMTATime(text); ok != wantOK || ok && got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, ok, want)
		}
	}
	parses("30", 30*time.Second, true)
	parses("30s", 30*time.Second, true)
	parses("5m", 5*time.Minute, true)
	parses("1w", 7*24*time.Hour, true)
	parses("2147483647w", math.MaxInt64/mtaUnits['w']*mtaUnits['w'], true)
	parses("2147483648", 0, false)
	parses("", 0, false)
	parses("s", 0, false)
	parses("-1s", 0, false)
	parses("$other", 0, false)
}
