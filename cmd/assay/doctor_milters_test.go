package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseMilters(t *testing.T) {
	parses := func(value, want string) {
		t.Helper()
		var got []string
		for _, e := range parseMilters(value) {
			got = append(got, fmt.Sprint(e.address, e.own))
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
	parses("", "")
	parses("unix:/a inet:b:1,\tinet:c:2", "unix:/amap[]; inet:b:1map[]; inet:c:2map[]")
	parses("{ inet:a:1, default_action=accept, { command_timeout = 3s } } unix:b", "inet:a:1map[command_timeout:3s default_action:accept]; unix:bmap[]")
	parses("{inet:a:1}", "inet:a:1map[]")
	parses("{}", "")
	parses("{ inet:a:1, protocol=2", "inet:a:1map[protocol:2]") // postfix would complain
	parses("}} inet:a:1", "}} inet:a:1map[]")
}
