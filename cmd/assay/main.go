// Command assay is a milter that authenticates inbound mail: it checks SPF,
// DKIM and DMARC beside Postfix or Sendmail and states what it found in
// Authentication-Results. "assay help" lists the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"assay/config"
)

// Exit statuses. The service manager does not restart on exitUsage.
const (
	exitYes   = 0
	exitNo    = 1
	exitUsage = 2
	exitLater = 75
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// status is an error that is an exit status and has been spoken of already.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// later marks an error that may pass: something outside is not ready.
type later struct{ error }

func (l later) Unwrap() error { return l.error }

// hinted is an error with the next step of who meets it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// run is main without the process around it.
func run(ctx context.Context, args []string, in io.Reader, out, talk io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(talk)
	err := root.ExecuteContext(ctx)
	var (
		code     status
		transit  later
		problems config.Problems
	)
	switch {
	case err == nil:
		return exitYes
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &problems):
		sayProblems(talk, problems)
		return exitUsage
	case errors.As(err, &transit):
		say(talk, "%v", err)
		return exitLater
	}
	say(talk, "%v", err)
	var next hinted
	if errors.As(err, &next) {
		say(talk, "hint: %s", next.hint)
	}
	if word := unknownCommand(err); word != "" {
		if near := root.SuggestionsFor(word); len(near) > 0 {
			say(talk, "hint: did you mean \"assay %s\"?", near[0])
		}
	}
	return exitUsage
}

// unknownCommand returns the word that the library could make nothing of, as it
// says in its error; "" for any other error.
func unknownCommand(err error) string {
	var word, command string
	if _, err := fmt.Sscanf(err.Error(), "unknown command %q for %q", &word, &command); err != nil {
		return ""
	}
	return word
}

// usage is the help of every command: one screen that ends in an example.
const usage = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}
{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasExample}}
Example:
{{.Example}}
{{end}}`

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "assay",
		Short:         "Inbound mail authentication beside Postfix or Sendmail",
		SilenceUsage:  true,
		SilenceErrors: true,
		Example:       "  assay serve\n  assay check --ip 192.0.2.7 --helo out.example.net --mail-from bounce@example.net spoof.eml",
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.DisableSuggestions = true // made in run, in our own voice
	root.SuggestionsMinimumDistance = 2
	root.SetUsageTemplate(usage)
	root.AddCommand(serveCommand(), statusCommand(), debugCommand(), doctorCommand(), checkCommand(), lookupCommand(), dnsCommand(),
		replayCommand(), configCommand(), versionCommand())
	return root
}

// say speaks to the operator.
func say(talk io.Writer, format string, args ...any) {
	fmt.Fprintf(talk, "assay: "+format+"\n", args...)
}

func sayProblems(talk io.Writer, problems config.Problems) {
	for _, p := range problems {
		say(talk, "%v", p)
		if p.Hint != "" {
			say(talk, "hint: %s", p.Hint)
		}
	}
}

// loadConfig reads the file of that name, or returns the defaults for "".
func loadConfig(path string) (config.Config, error) {
	host, err := os.Hostname()
	if err != nil {
		return config.Config{}, fmt.Errorf("host name: %w", err)
	}
	if path == "" {
		return config.Parse("defaults", nil, host)
	}
	return config.Load(path, host)
}
