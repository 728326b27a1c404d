package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"assay/config"
	"assay/policy"
	"assay/web"
)

// sayUnused names the exceptions that have ended, and those that have decided
// nothing since the milter started: perhaps nobody needs them any more. A milter
// that cannot be asked, or works by other exceptions, says nothing of them.
func sayUnused(cmd *cobra.Command, c config.Config) {
	talk := cmd.ErrOrStderr()
	exceptions := exceptionsOf(c)
	over := ended(exceptions, time.Now())
	for _, e := range over {
		say(talk, "exception %s has ended on %s: renew or remove it (%s%s)", e.Name, e.Until.Format(time.DateOnly), e.Reason, owned(e.Owner))
	}
	if c.Listen.Status.IsZero() || len(exceptions) == len(over) {
		return
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), askWait)
	defer cancel()
	running, err := statusClient(c.Listen.Status).Status(ctx)
	if err != nil {
		say(talk, "whether each exception is used is not known: %v", err)
		return
	}
	for _, e := range exceptions {
		if !e.Expired(time.Now()) && unused(e, running.Rules) {
			say(talk, "exception %s has never been used in %s: is it needed? (%s%s)", e.Name, since(running.Started, running.Now), e.Reason, owned(e.Owner))
		}
	}
}

func owned(owner string) string {
	if owner == "" {
		return ""
	}
	return "; ask " + owner
}

// unused reports whether the running milter has the exception, and it has decided
// nothing.
func unused(e policy.Rule, running []web.Rule) bool {
	for _, r := range running {
		if r.Step == string(policy.StepException) && r.Name == e.Name && r.Reason == e.Reason && r.Owner == e.Owner {
			return r.Hits == 0
		}
	}
	return false
}
