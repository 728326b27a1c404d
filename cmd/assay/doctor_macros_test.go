package main

import "testing"

func TestDoctorMacros(t *testing.T) {
	is := func(version string, want state) {
		t.Helper()
		d := doctor{postfix: &postfix{main: map[string]string{"mail_version": version}}}
		if got := d.checkMacros(t.Context()); len(got) != 1 || got[0].State != want {
			t.Errorf("Postfix %s: got %+v, want %s", version, got, want)
		}
	}
	is("1.99", warned)
	is("2.5.17", warned)
	is("2.6", good)
	is("2.12-20140321", good)
	is("3.0.0", good)
	is("", warned)
}
