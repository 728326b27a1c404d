package main

import "testing"

// TestBounded: what a program says is kept up to the limit.
func TestBounded(t *testing.T) {
	says := func(text, want string, wantCut bool) {
		t.Helper()
		b := bounded{limit: 4}
		for _, r := range text {
			if n, err := b.Write([]byte(string(r) + "-")); n != 2 || err != nil {
				t.Errorf("%q: %d, %v", text, n, err)
			}
		}
		if b.text.String() != want || b.cut != wantCut {
			t.Errorf("%q: got %q, cut %v, want %q", text, &b.text, b.cut, want)
		}
	}
	says("ab", "a-b-", false)
	says("abc", "a-b-", true)
}
