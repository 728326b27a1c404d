package arc

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"gopkg.in/yaml.v3"
)

// How many validation cases the suite has, so that none gets lost. Four names
// are given to two cases each; YAML readers that take the last one find 171.
const (
	suiteNames = 171
	suiteCases = 175
)

// disagreements are the cases whose wanted result we do not give.
var disagreements = map[string]struct {
	ours   Result
	reason string
}{
	"ams_fields_c_na": {Fail, "signed as relaxed without c=; by RFC 8617 §4.1.2 and RFC 6376 §3.5 the default is simple/simple"},
}

// scenario is one document of the suite: keys and the cases that use them.
type scenario struct {
	Tests cases
	TXT   map[string]string `yaml:"txt-records"`
}

type testCase struct {
	name    string
	Message string
	CV      string
}

// cases keeps the cases whose name is given twice.
type cases []testCase

func (c *cases) UnmarshalYAML(node *yaml.Node) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		one := testCase{name: node.Content[i].Value}
		if err := node.Content[i+1].Decode(&one); err != nil {
			return err
		}
		*c = append(*c, one)
	}
	return nil
}

// TestSuite runs every validation case of the ValiMail suite.
func TestSuite(t *testing.T) {
	ran, names := 0, map[string]bool{}
	for _, s := range readSuite(t) {
		zone := dnstest.New()
		for name, record := range s.TXT {
			zone.Add(name, "TXT", record)
		}
		for _, test := range s.Tests {
			ran++
			names[test.name] = true
			t.Run(test.name, func(t *testing.T) {
				got := validate(t, zone, strings.ReplaceAll(test.Message, "\n", "\r\n"))
				want := suiteResult(t, test.CV)
				apart, listed := disagreements[test.name]
				switch {
				case listed && (got.Result == want || got.Result != apart.ours):
					t.Errorf("got %s (%v); listed as apart from %s with %s: %s", got.Result, got.Err, want, apart.ours, apart.reason)
				case !listed && got.Result != want:
					t.Errorf("got %s (%v), want %s", got.Result, got.Err, want)
				}
			})
		}
	}
	for name := range disagreements {
		if !names[name] {
			t.Errorf("%s is listed, but not in the suite", name)
		}
	}
	if ran != suiteCases || len(names) != suiteNames {
		t.Errorf("ran %d cases of %d names, want %d of %d", ran, len(names), suiteCases, suiteNames)
	}
}

// suiteResult: the cases that want no particular result are chains with cv=fail,
// which RFC 8617 §5.2 step 2 has fail.
func suiteResult(t *testing.T, cv string) Result {
	switch cv {
	case "None":
		return None
	case "Pass":
		return Pass
	case "Fail", "":
		return Fail
	}
	t.Fatalf("unknown cv: %q", cv)
	return ""
}

func readSuite(t *testing.T) []scenario {
	file, err := os.Open("../../testdata/arc/arc-draft-validation-tests.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var scenarios []scenario
	for decoder := yaml.NewDecoder(file); ; {
		var s scenario
		switch err := decoder.Decode(&s); {
		case errors.Is(err, io.EOF):
			return scenarios
		case err != nil:
			t.Fatal(err)
		}
		if len(s.Tests) > 0 {
			scenarios = append(scenarios, s)
		}
	}
}
