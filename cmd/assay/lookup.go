package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"assay/verify/lookup"
)

// lookupFlags are the flags of assay lookup.
type lookupFlags struct {
	config, selector string
	json             bool
}

func lookupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lookup",
		Short: "Show what a domain publishes, as the milter reads it",
		Long: "Show what a domain publishes, as the milter reads it, with a caret under what is wrong. The exit\n" +
			"status is 0 when it is usable, 1 when there is nothing or it is not, 75 when DNS did not answer.",
		Example: "  assay lookup dmarc mail.example.com",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return errWhat },
	}
	cmd.AddCommand(lookupSPF(), lookupDKIM(), lookupDMARC())
	return cmd
}

var errWhat = errors.New("say what to look up: spf, dkim or dmarc")

// published is what a look-up has found.
type published interface {
	writeText(*page)
	// report returns it as JSON has it.
	report() any
	// fault returns why it is not usable; nil where it is.
	fault() error
}

// lookupFor makes a sub-command that looks for what is published at a name.
func lookupFor(cmd *cobra.Command, find func(ctx context.Context, r lookup.Resolver, flags lookupFlags, name string) (published, error)) *cobra.Command {
	var flags lookupFlags
	f := cmd.Flags()
	f.StringVarP(&flags.config, "config", "c", "", "configuration file, for its name servers")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	if strings.HasPrefix(cmd.Use, "dkim") {
		f.StringVar(&flags.selector, "selector", "", "selector; NAME is the signing domain then")
	}
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := loadConfig(flags.config)
		if err != nil {
			return err
		}
		resolver, err := resolverOf(c)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), c.DNS.MessageBudget)
		defer cancel()
		found, err := find(ctx, resolver, flags, args[0])
		if err != nil {
			return err
		}
		if flags.json {
			err = writeJSON(cmd.OutOrStdout(), found.report())
		} else {
			var p page
			found.writeText(&p)
			_, err = io.WriteString(cmd.OutOrStdout(), p.String())
		}
		if err != nil {
			return err
		}
		return lookupStatus(found.fault())
	}
	return cmd
}

// outage marks a fault that may pass: DNS did not answer.
type outage struct{ error }

func (o outage) Unwrap() error { return o.error }

// lookupStatus returns the exit status of a fault.
func lookupStatus(fault error) error {
	var passing outage
	switch {
	case fault == nil:
		return nil
	case errors.As(fault, &passing):
		return status(exitLater)
	}
	return status(exitNo)
}

// resultOf says whether what was found is usable.
func resultOf(fault error) string {
	var passing outage
	switch {
	case fault == nil:
		return "usable"
	case errors.As(fault, &passing):
		return "unknown: " + fault.Error()
	}
	return "not usable: " + fault.Error()
}

// page is text for people that holds text of strangers.
type page struct{ strings.Builder }

// line adds a line, indented by so many columns.
func (p *page) line(indent int, format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	fmt.Fprintf(p, "%*s%s\n", indent, "", printable(text))
}

// entry adds a name and what belongs to it.
func (p *page) entry(name, text string) { p.line(0, "%-22s %s", name, text) }
