package dmarc

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/spf"
)

// evaluationCase is a case of testdata/evaluate; see the README there.
type evaluationCase struct {
	name, rfc, want string
	from            domain.Name
	spf             spf.Check
	sigs            []dkim.Signature
	asks            []string
}

func TestEvaluate(t *testing.T) {
	files, err := filepath.Glob("testdata/evaluate/*.txt")
	if err != nil || len(files) < 6 {
		t.Fatalf("files %q, %v", files, err)
	}
	total := 0
	for _, file := range files {
		zone, cases := readCases(t, file)
		total += len(cases)
		for _, c := range cases {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+c.name, func(t *testing.T) { c.run(t, zone) })
		}
	}
	if total < 130 {
		t.Errorf("only %d cases read", total)
	}
}

func (c evaluationCase) run(t *testing.T, zone *dnstest.Zone) {
	zone.Reset()
	e := Verifier{Resolver: zone}.Begin(t.Context(), c.from).Finish(c.spf, c.sigs)
	asked := zone.Questions()
	if got := describeEvaluation(e, asked); got != c.want {
		t.Errorf("RFC 9989 %s: from %s, spf %s %s, %d signatures:\n got %s\nwant %s\n(%v, asked %q)",
			c.rfc, c.from, c.spf.Result, c.spf.Domain, len(c.sigs), got, c.want, e.Err, asked)
	}
	if explained := e.Err != nil; explained == (e.Result == Pass || e.Result == None) {
		t.Errorf("result %s with error %v", e.Result, e.Err)
	}
	if e.Queries != len(asked) {
		t.Errorf("Queries is %d, asked %q", e.Queries, asked)
	}
	var names []string
	for i, s := range e.Steps {
		names = append(names, s.Name.String())
		if i < len(asked) && asked[i] != "TXT _dmarc."+names[i] {
			t.Errorf("step %d is %s, asked %s", i, names[i], asked[i])
		}
		if (s.Found == FoundRecord) != (s.Record != nil) || (s.Found == FoundError) && s.Err == nil {
			t.Errorf("step %s: found %s, record %v, %v", s.Name, s.Found, s.Record, s.Err)
		}
	}
	if c.asks != nil && !slices.Equal(names, c.asks) {
		t.Errorf("asked for %q, want %q", names, c.asks)
	}
}

// describeEvaluation renders e as testdata/evaluate has it.
func describeEvaluation(e Evaluation, asked []string) string {
	words := []string{string(e.Result)}
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+value)
		}
	}
	add("org=", e.OrgDomain.String())
	add("policy=", e.PolicyDomain.String())
	if e.Requested != "" || e.Tag != "" {
		add("requested=", string(e.Requested)+"/"+e.Tag)
	}
	if e.TestMode {
		words = append(words, "test")
	}
	if e.SuffixGuard {
		words = append(words, "guard")
	}
	add("author=", string(e.Author))
	var aligned []string
	if e.AlignedSPF {
		aligned = append(aligned, "spf")
	}
	for _, i := range e.AlignedDKIM {
		aligned = append(aligned, "dkim"+strconv.Itoa(i))
	}
	add("aligned=", strings.Join(aligned, ","))
	txt, existence := 0, ""
	for _, q := range asked {
		switch {
		case strings.HasPrefix(q, "TXT _dmarc."):
			txt++
		case q == "A "+e.AuthorDomain.String():
			existence += "+A"
		default:
			existence += "+" + q
		}
	}
	add("queries=", strconv.Itoa(txt)+existence)
	return strings.Join(words, " ")
}

// readCases reads a file of testdata/evaluate.
func readCases(t testing.TB, file string) (*dnstest.Zone, []evaluationCase) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(data), "\n-- ")
	zone := dnstest.MustParse(t, parts[0])
	var cases []evaluationCase
	for _, part := range parts[1:] {
		name, body, ok := strings.Cut(part, " --\n")
		c := evaluationCase{name: name}
		for line := range strings.Lines(body) {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			key, value, _ := strings.Cut(line, ":")
			ok = ok && c.set(key, strings.TrimSpace(value))
		}
		if !ok || c.from.IsZero() || c.want == "" || !strings.Contains(c.rfc, "§") {
			t.Fatalf("%s: bad case %q", file, part)
		}
		cases = append(cases, c)
	}
	return zone, cases
}

func (c *evaluationCase) set(key, value string) bool {
	words := strings.Fields(value)
	switch key {
	case "rfc":
		c.rfc = value
	case "want":
		c.want = value
	case "asks":
		c.asks = words
	case "from":
		c.from = name(value)
	case "spf":
		c.spf.Identity = spf.MailFrom
		if words[0] == "helo" {
			c.spf.Identity, words = spf.Helo, words[1:]
		}
		c.spf.Result = spf.Result(words[0])
		c.spf.Domain = name(words[1])
	case "dkim":
		c.sigs = append(c.sigs, dkim.Signature{Result: dkim.Result(words[0]), SDID: name(words[1])})
	default:
		return false
	}
	return true
}

// name is domain.MustParse with "-" for no name.
func name(text string) domain.Name {
	if text == "-" {
		return domain.Name{}
	}
	return domain.MustParse(text)
}
