package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the release this tree is on the way to.
const version = "0.1.0"

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version [--json]",
		Short: "Print version and build",
		Long: "Print the version, and what it was built from and by. \"go version -m\" on the program\n" +
			"lists every module in it, with its version and checksum.",
		Example: "  assay version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{}
			}
			b := buildOf(info)
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(b)
			}
			fmt.Fprintln(cmd.OutOrStdout(), b)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON value")
	return cmd
}

// build is what is known about how the program came about. Where it was not built
// from a repository there is no revision.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"` // of the revision, as in RFC 3339
	Modified bool   `json:"modified"`       // it is not quite the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func buildOf(info *debug.BuildInfo) build {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	return build{
		Version:  version,
		Revision: settings["vcs.revision"],
		Time:     settings["vcs.time"],
		Modified: settings["vcs.modified"] == "true",
		Go:       info.GoVersion,
		Platform: settings["GOOS"] + "/" + settings["GOARCH"],
	}
}

func (b build) String() string {
	revision := "unknown revision"
	if b.Revision != "" {
		revision = fmt.Sprintf("revision %s of %s", b.Revision, b.Time)
	}
	if b.Modified {
		revision += ", modified"
	}
	return fmt.Sprintf("assay %s (%s, %s %s)", b.Version, revision, b.Go, b.Platform)
}
