package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"assay/config"
	"assay/policy"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check, show, test and import the configuration",
		Example: "  assay config check -c /etc/assay/assay.toml",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return errWhatConfig },
	}
	cmd.AddCommand(configCheck(), configShow(), configDescribe(), configImport(), configTest())
	return cmd
}

var errWhatConfig = errors.New("say what to do with the configuration; \"assay config --help\" lists it")

func configCheck() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check -c FILE",
		Short: "Report every problem of a configuration file",
		Long: "Report every problem of a configuration file. Where it says listen.status and the milter\n" +
			"runs, exceptions that have ended, or have decided nothing since it started, are named too.",
		Example: "  assay config check -c /etc/assay/assay.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			say(cmd.ErrOrStderr(), "%s: no problems found", file)
			sayUnused(cmd, c)
			return nil
		},
	}
	fileFlag(cmd, &file)
	return cmd
}

func configShow() *cobra.Command {
	var (
		file    string
		changed bool
	)
	cmd := &cobra.Command{
		Use:     "show [-n] [-c FILE]",
		Short:   "Print every setting in force",
		Example: "  assay config show -n -c /etc/assay/assay.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			settings := c.Show()
			if !changed {
				fmt.Fprintf(cmd.OutOrStdout(), "# A message goes through these steps until one decides: %s.\n", strings.Join(chain(), ", "))
			}
			if changed {
				host, err := os.Hostname()
				if err != nil {
					return err
				}
				settings = c.Differences(host)
			}
			for _, s := range settings {
				fmt.Fprintln(cmd.OutOrStdout(), s)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file; default: none, which shows the defaults")
	cmd.Flags().BoolVarP(&changed, "non-default", "n", false, "only what differs from the defaults")
	return cmd
}

// chain names the steps of the policy in their order.
func chain() []string {
	var names []string
	for _, step := range policy.Chain() {
		names = append(names, string(step))
	}
	return names
}

func configDescribe() *cobra.Command {
	return &cobra.Command{
		Use:     "describe",
		Short:   "Print a configuration file with every setting explained",
		Example: "  assay config describe > /etc/assay/assay.toml",
		Args:    cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprint(cmd.OutOrStdout(), config.Describe())
		},
	}
}

func fileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", "", "configuration file")
	_ = cmd.MarkFlagRequired("config") // fails only for a flag that does not exist
}
