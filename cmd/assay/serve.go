package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"assay/config"
	"assay/contrib"
	"assay/dnscache"
	"assay/filter"
	"assay/web"
)

func serveCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve [-c FILE]",
		Short: "Run the milter",
		Long: "Run the milter until SIGTERM. SIGHUP reads the configuration again; a bad file is\n" +
			"refused and the old one stays in force. SIGUSR1 logs details for an hour, or stops\n" +
			"that. Without a file the defaults are used: listen\n" +
			"on inet:127.0.0.1:8891, ask the servers of /etc/resolv.conf, state results only.\n" +
			"Sockets that systemd passes take the place of listen.milter.",
		Example: "  assay serve -c /etc/assay/assay.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			hup := make(chan os.Signal, 1)
			signal.Notify(hup, syscall.SIGHUP)
			defer signal.Stop(hup)
			usr1 := make(chan os.Signal, 1)
			signal.Notify(usr1, syscall.SIGUSR1)
			defer signal.Stop(usr1)
			daily := time.NewTicker(24 * time.Hour)
			defer daily.Stop()
			beat, stopBeat, err := watchdogBeat()
			if err != nil {
				return err
			}
			defer stopBeat()
			crashBySignal()
			s := service{file: file, reload: hup, debug: usr1, day: daily.C, beat: beat, out: cmd.OutOrStdout(), talk: cmd.ErrOrStderr()}
			return s.run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file")
	return cmd
}

// service is a running milter.
type service struct {
	file   string
	reload <-chan os.Signal
	debug  <-chan os.Signal
	day    <-chan time.Time // once a day
	beat   <-chan time.Time // when systemd's watchdog is to be fed; nil where there is none
	out    io.Writer
	talk   io.Writer

	config   config.Config
	log      *slog.Logger
	server   *filter.Server
	resolver *dnscache.Resolver
	monitor  *web.Monitor
	patience time.Duration // a session that is at one command for longer is stuck
}

func (s *service) run(ctx context.Context) error {
	var err error
	if s.config, err = loadConfig(s.file); err != nil {
		return err
	}
	if s.resolver, err = resolverOf(s.config); err != nil {
		return err
	}
	defer func() { s.resolver.Close() }()
	if s.log, err = newLogger(s.config.Log.Format, s.talk); err != nil {
		return err
	}
	slog.SetDefault(s.log) // the milter library speaks through the standard logger
	s.monitor = web.New(version, time.Now)
	s.server = filter.NewServer(s.log, s.settings())

	sockets, err := openSockets(s.config)
	if err != nil {
		return err
	}
	s.patience = patienceWith(s.config)
	s.monitor.Use(s.facts())
	if sockets.passed {
		s.log.Info("systemd has opened the milter sockets: listen.milter is not used")
	}
	s.welcome(sockets.addresses)
	s.warnExpired(time.Now())
	s.notifyReady() // MTAs that connect from now on are kept waiting by the kernel
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range sockets.milter {
		group.Go(func() error { return s.server.Serve(l) })
	}
	// How we are is told until the last message is finished.
	drained, finish := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { s.tell(drained, sockets.status); return nil })
	group.Go(func() error { defer finish(); return s.attend(ctx) })
	return group.Wait()
}

// settings is what sessions work by in the configuration in force.
func (s *service) settings() filter.Settings {
	settings := settingsWith(s.resolver, s.config)
	settings.Recorder = s.monitor
	return settings
}

// attend waits for signals until ctx ends, and lets messages in flight finish
// then.
func (s *service) attend(ctx context.Context) error {
	for {
		select {
		case <-s.reload:
			s.notifyReloading()
			s.readAgain()
			s.notifyReady()
		case <-s.debug:
			s.toggleDebug(time.Now())
		case now := <-s.day:
			s.warnExpired(now)
		case now := <-s.beat:
			s.feed(now)
		case <-ctx.Done():
			s.log.Info("stopping", "drain", s.config.Listen.Drain)
			s.notifyStopping()
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Listen.Drain)
			defer cancel()
			if err := s.server.Shutdown(drain); err != nil {
				s.log.Warn("stopped", "error", err)
				return nil
			}
			s.log.Info("stopped")
			return nil
		}
	}
}

// readAgain makes the file's present content the configuration of later
// sessions, or leaves everything as it is.
func (s *service) readAgain() {
	fresh, err := loadConfig(s.file)
	if err == nil {
		err = s.renewResolver(fresh)
	}
	if err != nil {
		s.refuse(err)
		return
	}
	if !slices.Equal(fresh.Listen.Milter, s.config.Listen.Milter) {
		s.log.Warn("listen.milter changed: this takes a restart")
	}
	if fresh.Listen.Status != s.config.Listen.Status {
		s.log.Warn("listen.status changed: this takes a restart")
	}
	if fresh.Log.Format != s.config.Log.Format {
		s.log.Warn("log.format changed: this takes a restart")
	}
	fresh.Listen.Milter, fresh.Listen.Status, fresh.Log.Format = s.config.Listen.Milter, s.config.Listen.Status, s.config.Log.Format
	s.config = fresh
	s.patience = max(s.patience, patienceWith(fresh)) // sessions keep what they began with
	s.server.Use(s.settings())
	s.monitor.Use(s.facts())
	s.warnExpired(time.Now())
	s.log.Info("configuration read again", "file", s.file)
}

// refuse says why a configuration does not come into force.
func (s *service) refuse(err error) {
	s.monitor.Refused(strings.ReplaceAll(err.Error(), "\n", "; "))
	var problems config.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			s.log.Error("configuration refused", "problem", p.Error(), "hint", p.Hint)
		}
	} else {
		s.log.Error("configuration refused", "problem", err.Error())
	}
	s.log.Error("the configuration read before stays in force")
}

// renewResolver makes the resolver that the fresh configuration asks for. Where
// that is the one we have, it stays, with what it knows.
func (s *service) renewResolver(fresh config.Config) error {
	if sameResolver(fresh.DNS, s.config.DNS) {
		return nil
	}
	resolver, err := resolverOf(fresh)
	if err != nil {
		return err
	}
	s.resolver.Close() // messages in flight still use it
	s.resolver = resolver
	return nil
}

// welcome says where the milter is to be found and, as long as nothing is
// configured, what to tell the MTA.
func (s *service) welcome(addresses []config.Address) {
	for _, a := range addresses {
		s.log.Info("listening", "milter", a.String(), "authserv_id", string(s.config.AuthservID), "mode", string(s.config.Policy.Mode))
	}
	if s.file != "" {
		return
	}
	address := addresses[0]
	fmt.Fprintf(s.out, "%s\n%s\n",
		strings.ReplaceAll(contrib.PostfixMainCF, contrib.DefaultMilter, address.String()),
		strings.ReplaceAll(contrib.SendmailMC, contrib.DefaultSendmail, address.Sendmail()))
}
