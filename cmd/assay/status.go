package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assay/config"
	"assay/web"
)

// standardFile is where packages put the configuration.
const standardFile = "/etc/assay/assay.toml"

// askWait bounds how long a running assay is waited for.
const askWait = 10 * time.Second

// askFlags say which running assay is asked.
type askFlags struct {
	file, at string
}

func (f *askFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "config", "c", standardFile, "configuration file, which says listen.status")
	cmd.Flags().StringVar(&f.at, "at", "", "where to ask, such as 127.0.0.1:8892 or unix:PATH; default: listen.status")
}

// client returns whom to ask.
func (f *askFlags) client(talk io.Writer) (web.Client, error) {
	if f.at != "" {
		a, err := config.ParseStatusAddress(f.at)
		if err != nil {
			return web.Client{}, fmt.Errorf("--at: %w", err)
		}
		return statusClient(a), nil
	}
	c, err := loadConfig(f.file)
	if errors.Is(err, fs.ErrNotExist) {
		return web.Client{}, hinted{err, "name the configuration of the running assay with -c FILE, or where to ask with --at"}
	}
	if err != nil {
		return web.Client{}, err
	}
	if c.Listen.Status.IsZero() {
		say(talk, "%s: listen.status is off, so that a running assay cannot be asked", f.file)
		say(talk, "hint: write status = \"127.0.0.1:8892\" below [listen], and restart assay")
		return web.Client{}, status(exitUsage)
	}
	return statusClient(c.Listen.Status), nil
}

func statusClient(a config.StatusAddress) web.Client {
	return web.Client{Network: a.Network, Addr: a.Addr}
}

// ask asks within askWait. Where nobody answers it may do so later.
func (f *askFlags) ask(cmd *cobra.Command, question func(context.Context, web.Client) error) error {
	client, err := f.client(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), askWait)
	defer cancel()
	return askError(question(ctx, client))
}

// askError says how an answer that did not come ends: who may not ask has nothing
// to wait for.
func askError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return hinted{err, "ask as root, or as the user that assay runs as"}
	case errors.Is(err, web.ErrSilent):
		return later{err}
	}
	return err
}

func statusCommand() *cobra.Command {
	var (
		flags    askFlags
		asksJSON bool
	)
	cmd := &cobra.Command{
		Use:   "status [--json] [-c FILE]",
		Short: "Ask the running milter how it is",
		Long: "Ask the running milter, at listen.status, what it did, how its DNS is, and what it warns\n" +
			"of. The exit status is 0 where all is well, 1 where it is not ready or warns of something,\n" +
			"75 where nobody answers.",
		Example: "  assay status -c /etc/assay/assay.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.ask(cmd, func(ctx context.Context, client web.Client) error {
				s, err := client.Status(ctx)
				if err != nil {
					return err
				}
				if asksJSON {
					err = writeJSON(cmd.OutOrStdout(), s)
				} else {
					_, err = io.WriteString(cmd.OutOrStdout(), statusTable(s))
				}
				if err == nil && (s.NotReady != "" || len(s.Warnings) > 0) {
					err = status(exitNo)
				}
				return err
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&asksJSON, "json", false, "print JSON")
	return cmd
}

// statusTable is a status for people.
func statusTable(s web.Status) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-8s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	line("assay", "%s, up %s, mode %s, authserv_id %s", s.Version, since(s.Started, s.Now), s.Mode, s.AuthservID)
	if s.NotReady != "" {
		line("ready", "no: %s", s.NotReady)
	} else {
		line("ready", "yes")
	}
	line("milter", "%s", strings.Join(s.Milter, ", "))
	file := s.Config.File
	if file == "" {
		file = "defaults"
	}
	line("config", "%s, read %s ago, hash %.12s", file, since(s.Config.Read, s.Now), s.Config.Hash)
	turnedAway := ""
	if s.Sessions.TurnedAway > 0 {
		turnedAway = fmt.Sprintf(", %d turned away by a limit", s.Sessions.TurnedAway)
	}
	line("sessions", "%d open, %d busy, %d since the start%s", s.Sessions.Open, s.Sessions.Busy, s.Sessions.Accepted, turnedAway)
	for i, name := range []string{"minute", "hour", "day"} {
		if i < len(s.Recent) {
			line(name, "%s", windowWords(s.Recent[i]))
		}
	}
	line("dns", "%s", dnsWords(s.DNS))
	for _, server := range s.DNS.Servers {
		line("", "%s: %s", server.Server, serverWords(server))
	}
	if len(s.Failing) > 0 {
		line("failing", "dmarc=fail by author domain, of the last 12 to 24 hours:")
	}
	for _, f := range s.Failing {
		line("", "%s: %s", f.Domain, frequentWords(f))
	}
	for _, r := range s.Rules {
		line(r.Step, "%s: %s, %s", r.Name, plural(int(r.Hits), "hit"), r.Reason)
	}
	if s.Shadow != nil {
		line("shadow", "%d of %s would be treated otherwise", s.Shadow.Differs, plural(int(s.Shadow.Judged), "message"))
	}
	if s.Debug != nil {
		line("debug", "details are logged for %s", since(s.Now, *s.Debug))
	}
	for _, w := range s.Warnings {
		line("warning", "%s: %s", w.Code, w.Text)
		line("", "%s", w.Next)
	}
	return b.String()
}

func since(then, now time.Time) string { return now.Sub(then).Round(time.Second).String() }

// windowWords tells what came, without what did not.
func windowWords(w web.Window) string {
	text := plural(int(w.Messages), "message")
	counted := func(what string, order []string, counts map[string]uint32) {
		var words []string
		for _, word := range order {
			if n := counts[word]; n > 0 {
				words = append(words, fmt.Sprintf("%s %d", word, n))
			}
		}
		if len(words) > 0 {
			text += "; " + what + strings.Join(words, ", ")
		}
	}
	counted("", []string{"accept", "tag", "hold", "defer", "reject"}, w.Actions)
	counted("dmarc ", []string{"pass", "fail", "none", "temperror", "permerror"}, w.DMARC)
	if w.Exempt > 0 {
		text += fmt.Sprintf("; exempt %d", w.Exempt)
	}
	if w.Unable > 0 {
		text += fmt.Sprintf("; not examined %d", w.Unable)
	}
	return text
}

// frequentWords tells a number that is certain up to a point only.
func frequentWords(f web.Frequent) string {
	if f.AtLeast < f.Messages {
		return fmt.Sprintf("%d to %d messages", f.AtLeast, f.Messages)
	}
	return plural(int(f.Messages), "message")
}

func serverWords(s web.Server) string {
	text := fmt.Sprintf("queries %d, lost %d", s.Queries, s.Lost)
	if s.Replies > 0 {
		text += fmt.Sprintf(", %s on average for a reply", time.Duration(s.Took*float64(time.Second)).Round(100*time.Microsecond))
	}
	return text
}

func dnsWords(d web.DNS) string {
	if d.Lookups == 0 {
		return "no look-ups yet"
	}
	return fmt.Sprintf("%s, %d %% from the cache of %d answers, queries %d", plural(int(d.Lookups), "look-up"), d.Hits*100/d.Lookups, d.Entries, d.Queries)
}
