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
	"assay/verify"
	"assay/verify/authres"
	"assay/verify/lookup"
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
			"show where they differ, by author domain. Each evaluates it by its own settings, with DNS\n" +
			"as it is now, from the servers of the first. --offline takes the results that assay wrote\n" +
			"when the message came in. What they do not say is taken as not so, such as that a list left\n" +
			"the signed header intact; where that would decide about several authors, received_from of a\n" +
			"forwarder, or a refusal at MAIL, the message is passed over. Client, envelope sender and\n" +
			"recipient are those of the topmost Received and Return-Path fields. The exit status is 0\n" +
			"without differences, 1 with some, 2 when no message could be judged, 75 when DNS does not\n" +
			"answer.",
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
	verifiers    []*verify.Verifier // one for both, one for each, or none when offline
	dns          *watched           // nil when offline
	clock        func() time.Time
	talk         io.Writer
	progress     *progress
	differences  differences
	passedErrors namedErrors
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
		now:      sideOf(now),
		then:     sideOf(then),
		clock:    time.Now,
		talk:     talk,
		progress: newProgress(talk, flags.progress, time.Now),
	}
	r.passedErrors.talk = r.progress
	if flags.offline {
		return r, func() {}, nil
	}
	resolver, err := resolverOf(now)
	if err != nil {
		return nil, nil, err
	}
	r.dns = &watched{Resolver: resolver}
	r.verifiers = verifiersOf(r.dns, now, then)
	return r, resolver.Close, nil
}

// verifiersOf returns one verifier for both configurations where it finds out the
// same for both, and otherwise one for each.
func verifiersOf(dns lookup.Resolver, now, then config.Config) []*verify.Verifier {
	first, second := settingsWith(dns, now).Verifier, settingsWith(dns, then).Verifier
	a, b := now.DNS, then.DNS
	if now.DMARC != then.DMARC || !reflect.DeepEqual(now.Forwarders, then.Forwarders) ||
		a.MessageBudget != b.MessageBudget || a.MessageQueries != b.MessageQueries || a.SPFReadahead != b.SPFReadahead {
		return []*verify.Verifier{first, second}
	}
	// Whom these do not concern does not look at what they add.
	first.ARC = first.ARC || second.ARC
	first.JudgeHeader = first.JudgeHeader || second.JudgeHeader
	return []*verify.Verifier{first}
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
	if r.differences.judged == 0 {
		return errNothing
	}
	return nil
}

var (
	errNoDNS    = errors.New("no DNS server answers; --offline uses the results in the messages")
	errNothing  = errors.New("there is no message that could be judged")
	errNoHeader = errors.New("no header fields")
	errNoClient = errors.New("no Received field that names a client")
	errFault    = errors.New("a fault of ours")
)
