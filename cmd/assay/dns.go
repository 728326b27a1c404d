package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assay/dnscache"
)

func dnsCommand() *cobra.Command {
	var (
		file  string
		times int
	)
	cmd := &cobra.Command{
		Use:   "dns [-c FILE] NAME TYPE",
		Short: "Ask a DNS question as the milter would",
		Long: "Print the answer, and in a last line where it is from, how long it would be kept and\n" +
			"what it took. TYPE is TXT, A, AAAA, MX or PTR, for which NAME may be an IP address.\n" +
			"The exit status is 0 for an answer, 1 when there is none, 75 when no server says.",
		Example: "  assay dns _dmarc.example.com TXT",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			resolver, err := resolverOf(c)
			if err != nil {
				return err
			}
			defer resolver.Close()
			var x dnscache.Explanation
			for range max(1, times) {
				if x, err = resolver.Explain(cmd.Context(), args[0], args[1]); err != nil {
					return err
				}
				writeExplanation(cmd.OutOrStdout(), x)
			}
			return explained(x)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file")
	cmd.Flags().IntVarP(&times, "times", "n", 1, "how often to ask; from the second time on the answer is from the cache")
	return cmd
}

// writeExplanation prints a record a line and a line about them all.
func writeExplanation(w io.Writer, x dnscache.Explanation) {
	for _, record := range x.Records {
		fmt.Fprintln(w, printable(record))
	}
	var parts []string
	switch {
	case x.Err != nil:
		parts = append(parts, problem(x.Err))
	case len(x.Records) == 0:
		parts = append(parts, "no record of this type")
	default:
		parts = append(parts, plural(len(x.Records), "record"))
	}
	switch x.Source {
	case dnscache.FromServer:
		parts = append(parts, "from "+x.Server)
	case dnscache.FromCache, dnscache.FromStale:
		parts = append(parts, string(x.Source)+", from "+x.Server)
	}
	if x.TTL > 0 {
		parts = append(parts, "kept for "+x.TTL.Round(time.Second).String())
	}
	if x.Authenticated {
		parts = append(parts, "authenticated")
	}
	parts = append(parts, "took "+x.Took.Round(10*time.Microsecond).String())
	fmt.Fprintf(w, "; %s\n", printable(strings.Join(parts, "; ")))
}

// problem is an error without what the line says anyway.
func problem(err error) string {
	var e *net.DNSError
	if errors.As(err, &e) {
		return e.Err
	}
	return err.Error()
}

// explained is the exit status that belongs to an answer.
func explained(x dnscache.Explanation) error {
	var e *net.DNSError
	switch {
	case errors.As(x.Err, &e) && e.IsTemporary:
		return status(exitLater)
	case x.Err != nil || len(x.Records) == 0:
		return status(exitNo)
	}
	return nil
}
