package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"assay/web"
)

func debugCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "debug",
		Short:   "Make the running milter log details, or stop that",
		Example: "  assay debug on --client 192.0.2.0/24 --author example.com --for 30m",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return errWhatDebug },
	}
	cmd.AddCommand(debugOn(), debugOff())
	return cmd
}

var errWhatDebug = fmt.Errorf("say %q or %q", "assay debug on", "assay debug off")

// tell asks, and repeats what is answered.
func (f *askFlags) tell(cmd *cobra.Command, request func(context.Context, web.Client) (string, error)) error {
	return f.ask(cmd, func(ctx context.Context, client web.Client) error {
		said, err := request(ctx, client)
		if err == nil {
			say(cmd.ErrOrStderr(), "%s", printable(said))
		}
		return err
	})
}

func debugOn() *cobra.Command {
	var (
		flags            askFlags
		length           time.Duration
		clients, authors []string
	)
	cmd := &cobra.Command{
		Use:     "on [--client NETWORK]… [--author DOMAIN]… [--for TIME] [-c FILE]",
		Short:   "Log details of messages for a while",
		Example: "  assay debug on --client 192.0.2.0/24 --author .example.com --for 30m",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.tell(cmd, func(ctx context.Context, client web.Client) (string, error) {
				return client.Debug(ctx, length, clients, authors)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().DurationVar(&length, "for", time.Hour, "how long, up to 24h")
	cmd.Flags().StringArrayVar(&clients, "client", nil, "only of these clients, an address or a network; may be repeated")
	cmd.Flags().StringArrayVar(&authors, "author", nil, "only of these author domains; .example.com: all below it; may be repeated")
	return cmd
}

func debugOff() *cobra.Command {
	var flags askFlags
	cmd := &cobra.Command{
		Use:     "off [-c FILE]",
		Short:   "Log one line for each message again",
		Example: "  assay debug off",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.tell(cmd, func(ctx context.Context, client web.Client) (string, error) {
				return client.NoDebug(ctx)
			})
		},
	}
	flags.add(cmd)
	return cmd
}
