package config

import (
	"net/netip"
	"strings"
	"time"

	"assay/verify/domain"
)

// Case is an operator's test of a policy: what was found about a message, and
// what is to be done with it. Its settings are called as the conditions of a
// rule are.
type Case struct {
	Name           string      `key:"name" is:"required" says:"what it shows"`
	Client         netip.Addr  `key:"client" says:"address of the client; default: unknown"`
	ClientName     domain.Name `key:"client_name" says:"its name, verified by iprev; default: none"`
	Helo           string      `key:"helo" says:"what it calls itself"`
	EnvelopeSender string      `key:"envelope_sender" says:"default: the null sender"`
	Recipients     []string    `key:"recipient" is:"lone" says:"default: nobody's rule applies"`
	TLS            bool        `key:"tls" says:"the session is encrypted"`
	Authenticated  bool        `key:"authenticated" says:"the client has logged in"`
	Received       time.Time   `key:"received" says:"when it came in, for exceptions that end; default: now"`
	Header         []string    `key:"header" is:"lone" says:"fields such as \"List-Id: <x.example.net>\", for on_reject = \"careful\""`
	Forwarder      Name        `key:"forwarder" says:"the [[forwarder]] that the client is; the message is intact"`
	Author         Word        `key:"author" oneof:"valid|missing|no-address|multiple-fields|field-name|multiple-domains|unparsable|encoded-word|control-character|invalid-domain|ambiguous" says:"what From is; default: valid with author_domain, missing without"`
	AuthorDomain   domain.Name `key:"author_domain" says:"the domain of the From field"`
	SPF            Word        `key:"spf" oneof:"none|neutral|pass|fail|softfail|temperror|permerror" says:"its result; default: none"`
	DKIM           []Signature `key:"dkim" is:"lone" says:"the signatures: result and domain, \"fail example.com body\" where only the body hash differs; default: none"`
	ARC            Word        `key:"arc" oneof:"none|pass|fail" says:"its result; default: none"`
	Sealer         domain.Name `key:"sealer" says:"who sealed and signed the chain that passes, and says that the author passed DMARC"`
	DMARC          Word        `key:"dmarc" oneof:"none|pass|fail|temperror|permerror" says:"its result; default: none, or permerror without a valid author"`
	Requested      Word        `key:"requested" oneof:"none|quarantine|reject" says:"what the author domain asks for with mail that fails; default: none"`

	Want       Action `key:"want" is:"required" oneof:"accept|tag|hold|reject|defer" says:"the action"`
	WantStep   Word   `key:"want_step" oneof:"exempt|invalid-author|exception|rule|dmarc|spf|accept" says:"the step that decides; default: any"`
	WantRule   string `key:"want_rule" says:"the rule, exception or setting that does; default: any"`
	WantReason string `key:"want_reason" says:"the reason, word for word; default: any"`
	WantReply  string `key:"want_reply" says:"the SMTP reply, such as \"550 5.7.1 Message refused\"; default: any"`

	Line int // where it begins
}

// Signature is what a case says of a DKIM signature.
type Signature struct {
	Result   string // of RFC 8601 §2.7.1
	SDID     domain.Name
	BodyOnly bool // the body hash is what fails
}

// caseFile is a file of cases.
type caseFile struct {
	Cases []Case `key:"case" says:"a test"`
}

// LoadCases reads the cases of the file at path. The error is [Problems], or
// that of the system when the file cannot be read.
func LoadCases(path string) ([]Case, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return ParseCases(path, text)
}

// ParseCases reads cases from text; file is what problems call it. The error is
// [Problems].
func ParseCases(file string, text []byte) ([]Case, error) {
	var cases caseFile
	if problems := unreadable(file, text); problems != nil {
		return nil, problems
	}
	r := newReader(file, text, &cases)
	r.reference = "contrib/policy-tests.toml shows every setting"
	if problems := r.read(func() { r.checkCases(cases.Cases) }); len(problems) > 0 {
		return nil, problems
	}
	return cases.Cases, nil
}

// checkCases reports cases that contradict themselves, and completes the others.
// A setting that is wrong contradicts nothing.
func (r *reader) checkCases(cases []Case) {
	if len(cases) == 0 && len(r.problems) == 0 {
		r.report(0, "case", faultf("there is none").hinted("begin each with [[case]]"))
	}
	named := map[string]place{}
	for i := range cases {
		c, in := &cases[i], r.listed[i]
		c.Line = r.lineOf(in.at)
		if before := named[c.Name]; before > 0 && c.Name != "" {
			r.report(in.values["case.name"], "case.name", faultf("%s is the name of another case, on line %d", quoted(c.Name), r.lineOf(before)))
		}
		named[c.Name] = in.values["case.name"]
		if !c.AuthorDomain.IsZero() && c.Author != "" && c.Author != "valid" {
			r.report(in.values["case.author"], "case.author", faultf("%s has no author_domain", quoted(string(c.Author))))
		}
		if in.values["case.author_domain"] == 0 && c.Author == "valid" {
			r.report(in.values["case.author"], "case.author", faultf("%s needs an author_domain", quoted(string(c.Author))))
		}
		if !c.Sealer.IsZero() && c.ARC != "pass" && (c.ARC != "" || in.values["case.arc"] == 0) {
			r.report(in.values["case.sealer"], "case.sealer", faultf("only a chain that passes has one").hinted(`add arc = "pass"`))
		}
	}
}

// signatureResults are the results of a signature.
var signatureResults = []string{"pass", "fail", "policy", "neutral", "temperror", "permerror"}

// parseSignature reads "RESULT DOMAIN" or "RESULT DOMAIN body".
func parseSignature(text string) (Signature, error) {
	words := strings.Fields(text)
	bad := faultf("%s is not a signature", quoted(text)).hinted(`write result and domain, such as "pass example.org" or "fail example.org body"`)
	if len(words) < 2 || len(words) > 3 || len(words) == 3 && words[2] != "body" {
		return Signature{}, bad
	}
	word := setting{oneOf: signatureResults}
	if err := word.checkText(words[0]); err != nil {
		return Signature{}, err
	}
	name, err := parseDomain(words[1])
	return Signature{words[0], name, len(words) == 3}, err
}

func parseAddr(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, faultf("%s is not an IP address", quoted(text)).hinted(`write it as "192.0.2.7" or "2001:db8::7"`)
	}
	return a.Unmap(), nil
}
