package miltertest

import (
	"errors"
	"fmt"
)

// What a filter can do wrong. Every Violation wraps one of these.
var (
	ErrNotDue        = errors.New("reply where none is due")
	ErrNotOffered    = errors.New("version or bits that were not offered")
	ErrNotNegotiated = errors.New("action or reply that was not negotiated")
	ErrWrongStage    = errors.New("reply that does not belong to this command")
	ErrUnknownReply  = errors.New("unknown reply code")
	ErrMalformed     = errors.New("malformed packet")
	ErrEndless       = errors.New("answer without end")
	ErrReplyText     = errors.New("malformed SMTP reply")
	ErrFieldText     = errors.New("malformed header field")
)

// ErrMessage says that a message cannot be delivered as asked; the filter is
// not to blame.
var ErrMessage = errors.New("miltertest: message unfit for this connection")

// Violation is a breach of the protocol by the filter.
type Violation struct {
	Command string // the command last sent, such as "EOM"
	Reply   byte   // code of the packet at fault; 0 when there is none
	Err     error  // one of the errors of this package
	Detail  string // the offending part; may be empty
}

// Error names the command, the reply and what is wrong with it.
func (v *Violation) Error() string {
	text := "milter violation after " + v.Command
	if v.Reply != 0 {
		text += fmt.Sprintf(", reply %q", v.Reply)
	}
	text += ": " + v.Err.Error()
	if v.Detail != "" {
		text += ": " + v.Detail
	}
	return text
}

// Unwrap returns the kind of violation.
func (v *Violation) Unwrap() error { return v.Err }

// breach is a Violation of the packet that answers cmd.
func breach(cmd command, reply byte, err error, format string, args ...any) *Violation {
	return &Violation{Command: cmd.name, Reply: reply, Err: err, Detail: fmt.Sprintf(format, args...)}
}
