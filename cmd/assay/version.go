package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the release this tree is on the way to.
const version = "0.1.0"

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version and build",
		Example: "  assay version",
		Args:    cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			revision, toolchain := "unknown revision", ""
			if info, ok := debug.ReadBuildInfo(); ok {
				toolchain = info.GoVersion
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						revision = s.Value
					}
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "assay %s (%s, %s)\n", version, revision, toolchain)
		},
	}
}
