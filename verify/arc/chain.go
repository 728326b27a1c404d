package arc

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"assay/verify/authres"
	"assay/verify/domain"
)

// Limits of one message.
const (
	// MaxSets is the highest instance (RFC 8617 §4.2.1).
	MaxSets = 50
	// MaxLookups is how many keys are looked up. A chain of MaxSets needs one for
	// each seal and one for the newest message signature.
	MaxLookups = 64
)

// Result is the result of RFC 8617 §5.2 for a chain. The zero value means not
// evaluated and is never written.
type Result string

// The results of a chain.
const (
	None Result = "none" // no ARC field at all
	Pass Result = "pass"
	Fail Result = "fail" // to be treated like none
)

// CV is a chain validation status: what a sealer found about the chain before
// his own set (RFC 8617 §4.4).
type CV string

// The values of cv=.
const (
	CVNone CV = "none"
	CVPass CV = "pass"
	CVFail CV = "fail"
)

// Chain is what was found about the ARC fields of a message.
type Chain struct {
	Result Result
	// Sets are the sets in order of their instance. Of a chain that fails it
	// holds what could be read before the reason was found.
	Sets []Set
	// OldestPass is the lowest instance from which on all message signatures
	// verify, 0 when all do (RFC 8617 §5.2 step 4). It says something only of a chain that
	// passes.
	OldestPass int
	// Caveat tells what the newest message signature of a passing chain leaves
	// open to changes, or nil. Such a chain is no ground for trust.
	Caveat error
	// Err is why the chain fails.
	Err error
}

// Set is the three ARC fields of one instance. Names that are not clean in the
// message are zero.
type Set struct {
	Instance int
	CV       CV          // cv= of the seal; "" when it is none of the three
	Sealer   domain.Name // d= of the seal
	Selector domain.Name // s= of the seal
	Signer   domain.Name // d= of the message signature

	// Results is the ARC-Authentication-Results, which is the word of Sealer
	// and worth as much. It is read only in a chain that passes.
	Results authres.Field
	// Unread counts the results in it that could not be read.
	Unread int
	// ResultsErr is why nothing of it could be read.
	ResultsErr error

	obscure bool // one of the unread may be a dmarc result
}

// AuthRes returns the chain as a result of RFC 8617 §10.2. client is the
// address of the SMTP client, which may be invalid.
func (c Chain) AuthRes(client netip.Addr) authres.Result {
	result := authres.Result{Method: "arc", Value: string(c.Result)}
	if c.Result == None {
		return result
	}
	result.Comment = c.comment()
	if client.IsValid() {
		result.Props = append(result.Props, authres.Prop{Type: "smtp", Name: "remote-ip", Value: client.Unmap().WithZone("").String()})
	}
	if c.Result == Pass {
		result.Props = append(result.Props, authres.Prop{Type: "header", Name: "oldest-pass", Value: strconv.Itoa(c.OldestPass)})
	}
	return result
}

func (c Chain) comment() string {
	switch {
	case errors.Is(c.Err, ErrUnavailable):
		return ErrUnavailable.Error() // the rest is for the log
	case c.Err != nil:
		return c.Err.Error()
	case c.Caveat != nil:
		return fmt.Sprintf("i=%d, %v", len(c.Sets), c.Caveat)
	}
	return fmt.Sprintf("i=%d", len(c.Sets))
}
