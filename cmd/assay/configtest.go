package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"assay/config"
	"assay/policy"
	"assay/verify"
)

func configTest() *cobra.Command {
	var (
		file   string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "test -c FILE CASES…",
		Short: "Test the policy of a configuration by cases of your own",
		Long: "Judge what each [[case]] of the given files says was found about a message, and print\n" +
			"those where the verdict is not the wanted one. No DNS is asked. The exit status is 0\n" +
			"when all are as wanted, 1 when one is not, 2 when a file is wrong.",
		Example: "  assay config test -c /etc/assay/assay.toml policy-tests.toml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			r, err := testPolicy(sideOf(c), args)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), r)
			} else {
				err = r.write(cmd.OutOrStdout())
			}
			if err == nil && r.Failed > 0 {
				err = status(exitNo)
			}
			return err
		},
	}
	fileFlag(cmd, &file)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// testReport is the outcome of tests.
type testReport struct {
	Cases    int           `json:"cases"`
	Failed   int           `json:"failed"`
	Failures []testFailure `json:"failures"`
}

type testFailure struct {
	File       string           `json:"file"`
	Line       int              `json:"line"`
	Name       string           `json:"name"`
	Mismatches []testDifference `json:"mismatches"`
	Verdict    replayPart       `json:"verdict"`
}

type testDifference struct {
	What string `json:"what"`
	Got  string `json:"got"`
	Want string `json:"want"`
}

// testPolicy judges the cases of all files; one file that is wrong stops it.
func testPolicy(s side, files []string) (testReport, error) {
	r := testReport{Failures: []testFailure{}}
	for _, file := range files {
		cases, err := config.LoadCases(file)
		if err != nil {
			return testReport{}, err
		}
		if problems := s.unknownForwarders(file, cases); len(problems) > 0 {
			return testReport{}, problems
		}
		r.Cases += len(cases)
		for _, c := range cases {
			m, f := foundIn(c)
			v := s.verdict(m, f)
			if wrong := mismatches(c, v); len(wrong) > 0 {
				r.Failed++
				r.Failures = append(r.Failures, testFailure{file, c.Line, c.Name, wrong, partOf(decisionOf(v), v.Reason)})
			}
		}
	}
	return r, nil
}

// unknownForwarders names the forwarders of cases that the configuration does not
// have: such a case would test nothing.
func (s side) unknownForwarders(file string, cases []config.Case) (problems config.Problems) {
	for _, c := range cases {
		name := string(c.Forwarder)
		if name != "" && !slices.ContainsFunc(s.forwarders, func(f verify.Forwarder) bool { return f.Name == name }) {
			problems = append(problems, config.Problem{
				File: file, Line: c.Line, Key: "case.forwarder", Text: fmt.Sprintf("%q is no [[forwarder]] of the configuration", name),
			})
		}
	}
	return problems
}

// mismatches returns what is not as a case wants it.
func mismatches(c config.Case, v policy.Verdict) []testDifference {
	var wrong []testDifference
	compare := func(what, got, want string) {
		if want != "" && got != want {
			wrong = append(wrong, testDifference{what, got, want})
		}
	}
	compare("action", string(v.Action), string(c.Want))
	compare("step", string(v.Step), string(c.WantStep))
	compare("rule", v.Rule, c.WantRule)
	compare("reason", v.Reason, c.WantReason)
	reply := ""
	if v.Reply.Code != 0 {
		reply = v.Reply.String()
	}
	compare("reply", reply, c.WantReply)
	return wrong
}

// write prints what failed, for people.
func (r testReport) write(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "%s:%d: %s\n", printable(f.File), f.Line, printable(f.Name))
		for _, d := range f.Mismatches {
			fmt.Fprintf(&b, "  %-7s got %s, want %s\n", d.What, quotedIf(d.What, d.Got), quotedIf(d.What, d.Want))
		}
		fmt.Fprintf(&b, "  verdict %s: %s\n", printable(f.Verdict.words()), printable(f.Verdict.Reason))
	}
	fmt.Fprintf(&b, "%s, %d failed\n", plural(r.Cases, "case"), r.Failed)
	_, err := io.WriteString(w, b.String())
	return err
}

// quotedIf puts sentences in quotes, so that a blank at their end is seen.
func quotedIf(what, text string) string {
	if what == "reason" || what == "reply" || text == "" {
		return `"` + printable(text) + `"`
	}
	return printable(text)
}
