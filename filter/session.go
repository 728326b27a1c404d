package filter

import (
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/emersion/go-milter"

	"assay/verify/message"
)

// session is one SMTP session as the MTA reports it. The library and conn call it
// from one goroutine. It answers itself, so that the library has nothing to write.
type session struct {
	milter.NoOpMilter // for what conn does not pass on to the library
	server            *Server
	conn              *conn
	settings          *Settings
	client            message.Connection
	tx                *transaction // the message under way; nil between messages
}

func newSession(server *Server, c *conn) *session {
	return &session{server: server, conn: c, settings: server.settings.Load()}
}

// end is called when the connection is gone.
func (s *session) end() { s.drop() }

// drop gives up the message under way.
func (s *session) drop() {
	if s.tx != nil {
		s.tx.end()
		s.tx = nil
	}
}

// guard runs one callback. A panic in it fails the message under way, and
// nothing else: what the callback has answered is not sent.
func (s *session) guard(stage string, callback func()) {
	before := len(s.conn.out)
	defer func() {
		if value := recover(); value != nil {
			s.conn.out = s.conn.out[:before]
			s.server.panics.Add(1)
			s.server.log.Error("panic", "stage", stage, "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
			if s.tx != nil {
				s.tx.unable = fmt.Errorf("panic at %s", stage)
			}
		}
	}()
	callback()
}

// Connect takes the address and name of the client.
func (s *session) Connect(host, _ string, _ uint16, addr net.IP, _ *milter.Modifier) (milter.Response, error) {
	s.drop()
	s.client = message.Connection{Name: host}
	if ip, ok := netip.AddrFromSlice(addr); ok {
		s.client.Addr = ip.Unmap()
	}
	s.conn.answer(milter.OptNoConnReply)
	return nil, nil
}

// Helo keeps the last name given: STARTTLS brings a second one.
func (s *session) Helo(name string, m *milter.Modifier) (milter.Response, error) {
	s.client.Helo = name
	s.client.TLS = macro(m, "tls_version") != ""
	s.conn.answer(milter.OptNoHeloReply)
	return nil, nil
}

// MailFrom begins a message. The library trims what it takes for angle
// brackets, so that the argument is taken as it came.
func (s *session) MailFrom(_ string, m *milter.Modifier) (milter.Response, error) {
	s.drop()
	if !s.conn.agreed.canEdit() {
		s.conn.inMail = false
		s.server.log.Error("message deferred: the MTA does not allow header changes", "peer", s.conn.RemoteAddr().String())
		s.conn.refuse(reply(unavailable))
		return nil, nil
	}
	s.tx = &transaction{session: s, ref: newRef(), began: time.Now(), cancel: func() {}}
	s.client.TLS = s.client.TLS || macro(m, "tls_version") != ""
	var refusal string
	s.guard("mail", func() {
		s.tx.begin(path(s.conn.sender), macro(m, "auth_authen"))
		s.tx.note(m)
		refusal = s.tx.refuseEarly()
		s.tx.waits.Mail = time.Since(s.tx.began)
	})
	if refusal != "" {
		s.drop()
		s.conn.inMail = false
		s.conn.refuse(refusal)
		return nil, nil
	}
	s.conn.proceed()
	return nil, nil
}

// rcpt keeps a recipient.
func (s *session) rcpt(rcpt string) {
	if s.tx != nil {
		s.guard("rcpt", func() { s.tx.rcpt(rcpt) })
	}
}

// field takes one header field.
func (s *session) field(name, value string) {
	if s.tx != nil {
		s.guard("header", func() { s.tx.field(name, value, s.conn.agreed.has(milter.OptHeaderLeadingSpace)) })
	}
}

// endOfHeaders ends the header section.
func (s *session) endOfHeaders() {
	if s.tx != nil {
		s.guard("end of headers", func() {
			start := time.Now()
			s.tx.endOfHeaders()
			s.tx.waits.Header = time.Since(start)
		})
	}
}

// chunk takes a piece of the body, and says whether more is needed. The piece
// belongs to the caller.
func (s *session) chunk(piece []byte) (more bool) {
	if s.tx != nil {
		s.guard("body", func() {
			start := time.Now()
			more = s.tx.chunk(piece)
			s.tx.waits.Body += time.Since(start)
		})
	}
	return more
}

// Body ends the message: it is judged, edited and answered. The answer is never a
// plain accept or refusal: after those the library and the MTA disagree about what comes next.
func (s *session) Body(m *milter.Modifier) (milter.Response, error) {
	if s.tx == nil {
		s.conn.refuse(reply(unavailable))
		return nil, nil
	}
	tx, start := s.tx, time.Now()
	defer s.drop()
	s.guard("end of message", func() {
		tx.note(m)
		if tx.unable == nil {
			tx.finish(start)
		}
	})
	if tx.unable != nil {
		tx.giveUp()
	}
	return nil, nil
}

// Abort drops the message and keeps the session.
func (s *session) Abort(*milter.Modifier) error {
	s.drop()
	return nil
}

// path returns what stands between the angle brackets of an SMTP path. A path with only
// one of them is returned whole: it is no address, and not empty.
func path(arg string) string {
	inner, left := strings.CutPrefix(arg, "<")
	inner, right := strings.CutSuffix(inner, ">")
	if left != right {
		return arg
	}
	return inner
}

// macro returns the value of a macro, which may come with braces or without.
func macro(m *milter.Modifier, name string) string {
	if value, ok := m.Macros["{"+name+"}"]; ok {
		return value
	}
	return m.Macros[name]
}
