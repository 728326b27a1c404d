package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
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
			"that. Without a file the defaults are used: listen on inet:127.0.0.1:8891, ask the\n" +
			"servers of /etc/resolv.conf, state results only. Sockets that systemd passes take the\n" +
			"place of listen.milter.",
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

	addresses []config.Address // where MTAs find us
	passed    bool             // systemd has opened these
}

func (s *service) run(ctx context.Context) error {
	collectLess()
	if err := s.prepare(); err != nil {
		return err
	}
	defer func() { s.resolver.Close() }() // the one in use then
	sockets, err := openSockets(s.config)
	if err != nil {
		return err
	}
	return s.serve(ctx, sockets)
}

// prepare makes everything but the sockets.
func (s *service) prepare() (err error) {
	if s.config, err = loadConfig(s.file); err != nil {
		return err
	}
	if s.log, err = newLogger(s.config.Log.Format, s.talk); err != nil {
		return err
	}
	slog.SetDefault(s.log) // the milter library speaks through the standard logger
	if s.resolver, err = resolverOf(s.config); err != nil {
		return err
	}
	s.monitor = web.New(version, time.Now)
	s.server = filter.NewServer(s.log, s.settings())
	s.patience = patienceWith(s.config)
	return nil
}

// serve answers over the sockets until ctx ends and the last message is finished.
func (s *service) serve(ctx context.Context, sockets sockets) error {
	s.addresses, s.passed = sockets.addresses, sockets.passed
	s.monitor.Use(s.facts())
	if s.passed {
		s.log.Info("systemd has opened the milter sockets: listen.milter is not used")
	}
	s.welcome(s.addresses)
	s.warnExpired(time.Now())
	s.notifyReady() // MTAs that connect from now on are kept waiting by the kernel
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range sockets.milter {
		group.Go(func() error {
			if err := s.server.Serve(l); err != nil {
				return later{fmt.Errorf("%s: no more connections: %w", l.Addr(), err)} // a new start may help
			}
			return nil
		})
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
