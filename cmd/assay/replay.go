package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"assay/config"
	"assay/policy"
	"assay/verify"
	"assay/verify/arc"
	"assay/verify/authres"
	"assay/verify/message"
)

// replayFlags are the flags of assay replay.
type replayFlags struct {
	config, against         string
	offline, json, progress bool
}

func replayCommand() *cobra.Command {
	var flags replayFlags
	cmd := &cobra.Command{
		Use:   "replay [-c FILE] --against FILE PATH…",
		Short: "Show what another policy would do with stored mail",
		Long: "Judge each message of the given files, mboxes and Maildirs by two configurations and\n" +
			"show where they differ, by author domain. The findings are the same for both, made as\n" +
			"the first one says, with DNS as it is now; --offline takes the results that assay wrote\n" +
			"when the message came in. Client, envelope sender and recipient are those of the topmost\n" +
			"Received and Return-Path fields. The exit status is 0 without differences, 1 with some,\n" +
			"75 when DNS does not answer.",
		Example: "  assay replay -c /etc/assay/assay.toml --against next.toml --offline ~/Maildir",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return replayMail(cmd, flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.config, "config", "c", "", "configuration in force; default: none, which is all defaults")
	f.StringVar(&flags.against, "against", "", "configuration to compare with")
	f.BoolVar(&flags.offline, "offline", false, "use the Authentication-Results under our authserv-id, and ask no DNS")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	f.BoolVar(&flags.progress, "progress", false, "say how far it got, though standard error is no terminal")
	_ = cmd.MarkFlagRequired("against") // fails only for a flag that does not exist
	return cmd
}

func replayMail(cmd *cobra.Command, flags replayFlags, paths []string) error {
	r, done, err := newReplay(flags, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer done()
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
	if err := r.run(cmd.Context(), paths); err != nil {
		return err
	}
	report := r.differences.report()
	if flags.json {
		err = writeJSON(cmd.OutOrStdout(), report)
	} else {
		err = report.writeTable(cmd.OutOrStdout())
	}
	if err == nil && report.Different > 0 {
		err = status(exitNo)
	}
	return err
}

// replay is a comparison of two policies.
type replay struct {
	id           authres.ID
	now, then    side
	verifier     *verify.Verifier // nil when offline
	dns          *watched
	clock        func() time.Time
	talk         io.Writer
	progress     *progress
	differences  differences
	passedErrors namedErrors
}

// side is one of the two configurations.
type side struct {
	rules *policy.Rules
	arc   bool
}

func newReplay(flags replayFlags, talk io.Writer) (r *replay, done func(), err error) {
	now, err := loadConfig(flags.config)
	if err != nil {
		return nil, nil, err
	}
	then, err := loadConfig(flags.against)
	if err != nil {
		return nil, nil, err
	}
	r = &replay{
		id:       authres.NewID(string(now.AuthservID)),
		now:      side{rulesOf(now), now.ARC.Enable},
		then:     side{rulesOf(then), then.ARC.Enable},
		clock:    time.Now,
		talk:     talk,
		progress: newProgress(talk, flags.progress, time.Now),
	}
	r.passedErrors.talk = r.progress
	if flags.offline {
		return r, func() {}, nil
	}
	warnFindings(talk, now, then)
	resolver, err := resolverOf(now)
	if err != nil {
		return nil, nil, err
	}
	r.dns = &watched{Resolver: resolver}
	r.verifier = settingsWith(r.dns, now).Verifier
	r.verifier.ARC = now.ARC.Enable || then.ARC.Enable
	r.verifier.JudgeHeader = careful(now) || careful(then)
	return r, resolver.Close, nil
}

// warnFindings names the settings that change findings and are not tried.
func warnFindings(talk io.Writer, now, then config.Config) {
	if now.DMARC != then.DMARC {
		say(talk, "dmarc.evaluate_all_authors differs: both are judged as the first one says")
	}
	if !reflect.DeepEqual(now.Forwarders, then.Forwarders) {
		say(talk, "the [[forwarder]]s differ: both are judged with those of the first one")
	}
}

// inFlight is how many messages may wait for DNS at the same time; a header is
// kept of each.
const inFlight = 16

// run judges all messages below paths.
func (r *replay) run(ctx context.Context, paths []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group errgroup.Group
	group.SetLimit(inFlight)
	for _, path := range paths {
		on := walkMailbox(path, func(name string, in io.Reader, err error) bool {
			var finish func() error
			if err == nil {
				finish, err = r.begin(ctx, name, in)
			}
			if err != nil {
				r.passOver(name, err)
				return ctx.Err() == nil
			}
			group.Go(func() error {
				if err := finish(); err != nil {
					r.passOver(name, err)
				}
				if r.dns.dead(deadQuestions) {
					cancel(errNoDNS)
				}
				return nil
			})
			return ctx.Err() == nil
		})
		if !on {
			break
		}
	}
	_ = group.Wait() // nothing in it returns an error
	r.progress.end()
	r.passedErrors.end()
	switch {
	case errors.Is(context.Cause(ctx), errNoDNS) || r.dns.dead(1):
		return later{errNoDNS}
	case ctx.Err() != nil:
		return fmt.Errorf("replay: %w", ctx.Err())
	}
	r.differences.passedOver = int64(r.passedErrors.count)
	return nil
}

var (
	errNoDNS     = errors.New("no DNS server answers; --offline uses the results in the messages")
	errNoHeader  = errors.New("no header fields")
	errNoResults = errors.New("no DMARC result under our authserv-id")
	errFault     = errors.New("a fault of ours")
)

// begin reads a message and returns what is left to do: to wait for answers and
// to compare the verdicts. It may be done by another goroutine.
func (r *replay) begin(ctx context.Context, name string, in io.Reader) (finish func() error, err error) {
	defer recovered(&err)
	header, body, err := message.Read(in)
	if err != nil {
		return nil, err
	}
	if len(header) == 0 {
		return nil, errNoHeader
	}
	m, at := r.stored(header)
	if r.now.exempts(m) != "" && r.then.exempts(m) != "" {
		return func() error {
			r.compare(name, m, verify.Findings{Author: header.Author()})
			return nil
		}, nil
	}
	if r.verifier == nil {
		return func() (err error) {
			defer recovered(&err)
			f, ok := recorded(m, r.id)
			if !ok {
				return errNoResults
			}
			r.compare(name, m, f)
			return nil
		}, nil
	}
	v := *r.verifier
	v.Now = func() time.Time { return at }
	run := v.Begin(ctx, &m.Connection, &m.Envelope)
	run.Headers(asReceived(header))
	if err := feed(run, body); err != nil {
		run.Cancel()
		return nil, err
	}
	return func() (err error) {
		defer recovered(&err)
		f := run.Finish()
		if ctx.Err() == nil {
			r.compare(name, m, f)
		}
		return nil
	}, nil
}

// feed gives a body to a run, as far as anybody needs it.
func feed(run *verify.Run, body io.Reader) error {
	chunk := make([]byte, chunkBytes)
	for {
		n, err := body.Read(chunk)
		if !run.Body(chunk[:n]) || err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// recovered turns a panic into an error: one message must not end a replay.
func recovered(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("%w: %v", errFault, value)
	}
}

// stored is a message from a mailbox with what its header says about how and
// when it came in. Exceptions are judged by today's date: the question is what
// a policy would do now.
func (r *replay) stored(header message.Header) (m *message.Message, at time.Time) {
	m = &message.Message{Header: header, Received: r.clock()}
	_ = checkFlags{}.envelope(m, io.Discard) // fails only for flags
	at = arrival(m)
	if at.IsZero() {
		at = m.Received
	}
	return m, at
}

// compare judges a message by both policies.
func (r *replay) compare(name string, m *message.Message, f verify.Findings) {
	now, then := r.now.verdict(m, f), r.then.verdict(m, f)
	r.differences.add(name, f, now, then)
	r.progress.judged(now.Action != then.Action)
}

// exempts returns why a message is not examined, "" when it is.
func (s side) exempts(m *message.Message) string { return s.rules.Exempt(&m.Connection, &m.Envelope) }

// verdict is what a side does, exempt mail included.
func (s side) verdict(m *message.Message, f verify.Findings) policy.Verdict {
	if reason := s.exempts(m); reason != "" {
		return policy.Verdict{Action: policy.Accept, Step: policy.StepExempt, Reason: "exempt: " + reason}
	}
	if !s.arc {
		f.ARC = arc.Chain{}
	}
	return s.rules.Decide(m, f)
}

func (r *replay) passOver(name string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	r.passedErrors.add(name, err)
}
