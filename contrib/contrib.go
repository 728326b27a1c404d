// Package contrib holds the lines that operators paste: the same files that
// stand in the documentation and that the tests run their MTAs with.
package contrib

import _ "embed" // for the files below

// DefaultMilter is the address in PostfixMainCF, as Postfix writes it;
// DefaultSendmail is the same address in SendmailMC.
const (
	DefaultMilter   = "inet:127.0.0.1:8891"
	DefaultSendmail = "inet:8891@127.0.0.1"
)

// PostfixMainCF is what is added to Postfix's main.cf.
//
//go:embed postfix/main.cf
var PostfixMainCF string

// SendmailMC is what is added to sendmail.mc.
//
//go:embed sendmail/assay.mc
var SendmailMC string

// AssayTOML is the configuration file with every setting and its default.
//
//go:embed assay.toml
var AssayTOML string

// PolicyTests is an example of the cases of "assay config test", with every
// setting explained.
//
//go:embed policy-tests.toml
var PolicyTests string
