package peers

import (
	"fmt"
	"net"
	"net/textproto"
	"os"
	"testing"

	"github.com/emersion/go-milter"
)

// noOpFlag makes this program be a milter that does nothing, on the socket that
// follows; a quiet one, when that follows, tells the MTA not to wait.
const noOpFlag = "-no-op"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == noOpFlag {
		fmt.Fprintln(os.Stderr, serveNoOp(os.Args[2], os.Args[3] == "quiet"))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func serveNoOp(socket string, quiet bool) error {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	if err := os.Chmod(socket, 0o666); err != nil { // Postfix is another user
		return err
	}
	s := milter.Server{NewMilter: func() milter.Milter { return milter.NoOpMilter{} }, Actions: milter.OptAddHeader}
	if quiet {
		s.NewMilter = func() milter.Milter { return quietNoOp{} }
		s.Protocol = milter.OptNoConnReply | milter.OptNoHeloReply | milter.OptNoMailReply | milter.OptNoRcptReply |
			milter.OptNoHeaderReply | milter.OptNoEOHReply | milter.OptNoBodyReply | milter.OptNoData | milter.OptNoUnknown
	}
	return s.Serve(l)
}

// quietNoOp accepts everything and answers nothing but the end.
type quietNoOp struct{ milter.NoOpMilter }

func (quietNoOp) Connect(string, string, uint16, net.IP, *milter.Modifier) (milter.Response, error) {
	return nil, nil
}
func (quietNoOp) Helo(string, *milter.Modifier) (milter.Response, error)     { return nil, nil }
func (quietNoOp) MailFrom(string, *milter.Modifier) (milter.Response, error) { return nil, nil }
func (quietNoOp) RcptTo(string, *milter.Modifier) (milter.Response, error)   { return nil, nil }
func (quietNoOp) Header(string, string, *milter.Modifier) (milter.Response, error) {
	return nil, nil
}
func (quietNoOp) Headers(textproto.MIMEHeader, *milter.Modifier) (milter.Response, error) {
	return nil, nil
}
func (quietNoOp) BodyChunk([]byte, *milter.Modifier) (milter.Response, error) { return nil, nil }
func (quietNoOp) Body(*milter.Modifier) (milter.Response, error)              { return milter.RespContinue, nil }
