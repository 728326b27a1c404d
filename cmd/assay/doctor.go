package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"assay/config"
)

// doctorFlags are the flags of assay doctor.
type doctorFlags struct {
	config     string
	postfixDir string
	sendmailCF string
	json       bool
	// Whether the two were given: then what they name has to be there.
	postfixGiven, sendmailGiven bool
}

func doctorCommand() *cobra.Command {
	var flags doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor [flags]",
		Short: "Test an installation, and say what to do next",
		Long: "Look at the configuration, the running milter, the DNS servers, the MTA of this host and\n" +
			"the clock, a line for each: ok, warn, fail, or skip for what cannot be known here; below\n" +
			"it the next step. The milter gets one forged message, which its log has as\n" +
			"qid=" + probeID + ". Run it as root, so that it may read and reach what the MTA does.\n" +
			"The exit status is 0 when nothing fails, 1 when something is wrong, 2 for a mistake in\n" +
			"the call or the configuration, 75 when all that fails is a milter that is not running\n" +
			"or a DNS server that does not answer: try again later.",
		Example: "  assay doctor -c /etc/assay/assay.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags.postfixGiven, flags.sendmailGiven = cmd.Flags().Changed("postfix-config"), cmd.Flags().Changed("sendmail-cf")
			d := doctor{flags: flags, clock: readClock}
			return d.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.config, "config", "c", "", "configuration file")
	f.StringVar(&flags.postfixDir, "postfix-config", "/etc/postfix", "folder of main.cf; \"\": do not look at Postfix")
	f.StringVar(&flags.sendmailCF, "sendmail-cf", "/etc/mail/sendmail.cf", "file; \"\": do not look at Sendmail")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	return cmd
}

// doctor tests an installation.
type doctor struct {
	flags  doctorFlags
	clock  func() clock
	config config.Config
	hash   string // of config, as it was read

	// What earlier checks have found out for later ones.
	reached config.Address // where the milter has answered; zero where it has not
	postfix *postfix       // nil where there is none
}

// checkup is one thing to test. It finds at least one thing.
type checkup struct {
	name string
	run  func(context.Context) []finding
}

// checkups are in the order in which an operator puts things right.
func (d *doctor) checkups() []checkup {
	return []checkup{
		{"config", d.checkConfig},
		{"milter", d.checkMilter},
		{"results", d.checkResults},
		{"status", d.checkStatus},
		{"dns", d.checkDNS},
		{"postfix", d.checkPostfix},
		{"macros", d.checkMacros},
		{"sendmail", d.checkSendmail},
		{"clock", d.checkClock},
	}
}

// run makes all checks and prints what they find. In a table each is printed
// when it has been made, because some of them take their time.
func (d *doctor) run(ctx context.Context, out io.Writer) error {
	var err error
	if d.config, err = loadConfig(d.flags.config); err != nil {
		return err
	}
	d.hash = d.config.Hash()
	d.askWhere(ctx)
	var all []finding
	for _, c := range d.checkups() {
		findings := c.run(ctx)
		if ctx.Err() != nil {
			return later{ctx.Err()}
		}
		for i := range findings {
			findings[i].Check = c.name
		}
		all = append(all, findings...)
		if d.flags.json {
			continue
		}
		if err := writeFindings(out, findings); err != nil {
			return err
		}
	}
	code := statusOf(all)
	if d.flags.json {
		if err := writeJSON(out, diagnosis{Status: code, Checks: all}); err != nil {
			return err
		}
	}
	if code != exitYes {
		return status(code)
	}
	return nil
}

// checkConfig speaks of a file that has been read already: a bad one ends the
// command.
func (d *doctor) checkConfig(context.Context) []finding {
	if d.flags.config == "" {
		return list(found(warned, "no file given, so that the defaults are looked at").next("name the file of the running milter: assay doctor -c FILE"))
	}
	var findings []finding
	for _, e := range ended(exceptionsOf(d.config), d.clock().now) {
		findings = append(findings, found(warned, "exception %s of %s ended on %s", e.Name, e.Owner, e.Until.Format(time.DateOnly)).next("renew or remove it"))
	}
	return append(findings, found(good, "%s: no problems found", d.flags.config))
}
