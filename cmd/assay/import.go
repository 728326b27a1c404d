package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"assay/config"
	"assay/config/legacy"
)

func configImport() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "import [-a] FILE…",
		Short: "Write the configuration of OpenDKIM, OpenDMARC or policyd-spf as ours",
		Long: "Print an assay.toml that does what the given files say, at most one of each program,\n" +
			"and on standard error every behaviour that changes or has no counterpart. Files that\n" +
			"they name are read where they can be.",
		Example: "  assay config import /etc/opendkim.conf /etc/opendmarc.conf > assay.toml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return importFiles(args, all, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "name the settings that stay the same too")
	return cmd
}

func importFiles(paths []string, all bool, out, talk io.Writer) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	var sources []legacy.Source
	for _, path := range paths {
		text, err := readLegacy(path)
		if err != nil {
			return err
		}
		sources = append(sources, legacy.Source{Path: path, Text: text})
	}
	result, err := legacy.Import(sources, host, readLegacy)
	if err != nil {
		return err
	}
	if _, err := config.Parse("imported", []byte(result.TOML), host); err != nil {
		return fmt.Errorf("what was imported is not accepted, which is a fault of assay: %v", err)
	}
	same := 0
	for _, n := range result.Notes {
		if n.Kind == legacy.Equivalent && !all {
			same++
			continue
		}
		say(talk, "%v", n)
	}
	if same > 0 {
		say(talk, "%s the same; --all names them", plural(same, "setting"))
	}
	_, err = io.WriteString(out, result.TOML)
	return err
}

// readLegacy reads a file as far as the importer takes it.
func readLegacy(path string) ([]byte, error) {
	// A pipe would hang, and a device has no end.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, legacy.MaxFileBytes+1))
}
