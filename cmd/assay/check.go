package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assay/filter"
	"assay/policy"
	"assay/verify"
	"assay/verify/message"
)

// checkFlags are the flags of assay check.
type checkFlags struct {
	config, ip, helo, mailFrom string
	rcpt                       []string
	json, explain              bool
}

func checkCommand() *cobra.Command {
	var flags checkFlags
	cmd := &cobra.Command{
		Use:   "check [flags] MESSAGE|-",
		Short: "Show what would be found about a message in a file",
		Long: "Examine a message as the milter would. Without --ip the client, its HELO name, the\n" +
			"envelope sender and the recipient are taken from the topmost Received and Return-Path\n" +
			"fields. The exit status is 0 when the message would be delivered, 1 when it would be\n" +
			"refused, held or deferred.",
		Example: "  assay check --ip 192.0.2.7 --helo out.example.net --mail-from bounce@example.net spoof.eml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return check(cmd, flags, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.config, "config", "c", "", "configuration file")
	f.StringVar(&flags.ip, "ip", "", "address of the SMTP client")
	f.StringVar(&flags.helo, "helo", "", "its HELO or EHLO name")
	f.StringVar(&flags.mailFrom, "mail-from", "", "envelope sender; \"<>\" is the null sender")
	f.StringArrayVar(&flags.rcpt, "rcpt", nil, "recipient; may be repeated")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	f.BoolVarP(&flags.explain, "explain", "v", false, "say below each result how it came about")
	return cmd
}

func check(cmd *cobra.Command, flags checkFlags, path string) error {
	c, err := loadConfig(flags.config)
	if err != nil {
		return err
	}
	settings, err := settingsOf(c)
	if err != nil {
		return err
	}
	in := cmd.InOrStdin()
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	header, body, err := message.Read(in)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m := &message.Message{Header: header, Received: time.Now()}
	if err := flags.envelope(m, cmd.ErrOrStderr()); err != nil {
		return err
	}
	if flags.ip == "" {
		arrival(m)
		if len(flags.rcpt) == 0 && len(m.Envelope.Recipients) > 0 {
			say(cmd.ErrOrStderr(), "from Received or Delivered-To: recipient <%s>", m.Envelope.Recipients[0])
		}
		m.Header = asReceived(m.Header)
	}
	report, err := examine(cmd.Context(), settings, m, body)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if flags.json {
		err = report.writeJSON(cmd.OutOrStdout())
	} else {
		err = report.writeTable(cmd.OutOrStdout(), flags.explain)
	}
	if err != nil {
		return err
	}
	if report.exempt != "" {
		return nil
	}
	switch report.verdict.Action {
	case policy.Reject, policy.Hold, policy.Defer:
		return status(exitNo)
	}
	return nil
}

// envelope completes m from the flags or, where they are silent, from what the
// last MTA wrote into the header.
func (flags checkFlags) envelope(m *message.Message, talk io.Writer) error {
	m.Connection.Helo = flags.helo
	m.Envelope.Sender = path(flags.mailFrom)
	for _, rcpt := range flags.rcpt {
		m.Envelope.Recipients = append(m.Envelope.Recipients, path(rcpt))
	}
	if flags.ip != "" {
		addr, err := netip.ParseAddr(flags.ip)
		if err != nil {
			return fmt.Errorf("--ip: %q is not an IP address", flags.ip)
		}
		m.Connection.Addr = addr.Unmap().WithZone("")
		return nil
	}
	trace, ok := received(m.Header)
	if !ok {
		say(talk, "no client address: give --ip, or a message with a Received field that names one")
	} else {
		say(talk, "from the topmost Received field: client %s, HELO %s", trace.addr, trace.helo)
		m.Connection.Addr = trace.addr
		if flags.helo == "" {
			m.Connection.Helo = trace.helo
		}
	}
	if flags.mailFrom == "" {
		if fields := m.Header.All("Return-Path"); len(fields) > 0 {
			m.Envelope.Sender = path(fields[0].Unfolded())
			say(talk, "from Return-Path: envelope sender <%s>", m.Envelope.Sender)
		}
	}
	return nil
}

// path returns an address without its angle brackets.
func path(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
}

// examination is a message and what came out of it.
type examination struct {
	message  *message.Message
	findings verify.Findings
	verdict  policy.Verdict
	field    string // what would be written
	exempt   string // why the milter would not examine it; "" when it would
	early    bool   // the verdict is one at MAIL
}

// examine does what the milter does, in the same order, by the same code.
func examine(ctx context.Context, s filter.Settings, m *message.Message, body io.Reader) (*examination, error) {
	e := &examination{message: m, exempt: s.Rules.Exempt(&m.Connection, &m.Envelope)}
	run := s.Verifier.Begin(ctx, &m.Connection, &m.Envelope)
	defer run.Cancel()
	if e.exempt == "" {
		e.verdict, _, e.early = filter.Early(s.Rules, run, m)
	}
	run.Headers(m.Header)
	chunk := make([]byte, 64<<10)
	for {
		n, err := body.Read(chunk)
		run.Body(chunk[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	e.findings = run.Finish()
	if !e.early {
		e.verdict = s.Rules.Decide(m, e.findings)
	}
	e.field = filter.Results(s.ID, e.findings, e.verdict)
	return e, nil
}
