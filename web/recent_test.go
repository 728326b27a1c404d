package web

import (
	"testing"
	"time"

	"assay/filter"
	"assay/policy"
	"assay/verify"
	"assay/verify/dmarc"
	"assay/verify/message"
)

// judged is a message with that outcome.
func judged(action policy.Action, result dmarc.Result) *filter.Outcome {
	return &filter.Outcome{
		Message: &message.Message{}, Verdict: policy.Verdict{Action: action},
		Findings: &verify.Findings{DMARC: dmarc.Evaluation{Result: result}},
	}
}

func TestRecent(t *testing.T) {
	r := newRecent()
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration, o *filter.Outcome) { r.count(noon.Add(d), o) }
	at(-24*time.Hour, judged(policy.Reject, dmarc.Fail)) // a minute too old for the day
	at(-24*time.Hour+time.Minute, judged(policy.Tag, dmarc.Fail))
	at(-time.Hour, judged(policy.Reject, dmarc.Fail)) // a minute too old for the hour
	at(-59*time.Minute, judged(policy.Accept, dmarc.Pass))
	at(-time.Second, judged(policy.Hold, dmarc.None)) // a second too old for the minute
	at(0, judged(policy.Accept, dmarc.TempError))
	at(59*time.Second, judged(policy.Defer, dmarc.PermError))
	at(0, &filter.Outcome{Message: &message.Message{}, Verdict: policy.Verdict{Action: policy.Accept}, Exempt: "network"})

	want := func(minutes int64, messages, accepted, failed uint32) {
		t.Helper()
		got := r.last(noon.Add(59*time.Second), minutes)
		if got.messages() != messages || got.actions[0] != accepted || got.dmarc[1] != failed {
			t.Errorf("%d minutes: %d messages, %d accepted, %d failed; want %d, %d, %d", minutes, got.messages(), got.actions[0], got.dmarc[1], messages, accepted, failed)
		}
	}
	want(1, 3, 2, 0)
	want(60, 5, 3, 0)
	if got := r.last(noon.Add(60*time.Second), 1); got.messages() != 1 {
		t.Errorf("when the next minute has just begun: %d messages, want the one of a second ago", got.messages())
	}
	want(dayMinutes, 7, 3, 2)
	if got := r.last(noon.Add(48*time.Hour), dayMinutes); got != (counts{}) {
		t.Errorf("two days later: %+v", got)
	}
	if got := r.last(noon.Add(-48*time.Hour), dayMinutes); got != (counts{}) {
		t.Errorf("where the clock was put back by two days: %+v", got)
	}
}

func TestRecentUnexamined(t *testing.T) {
	r := newRecent()
	now := time.Unix(0, 0)
	r.count(now, &filter.Outcome{Message: &message.Message{}, Unable: dnsFault{}, Verdict: policy.Verdict{Action: policy.Defer}})
	submitted := judged(policy.Accept, dmarc.None)
	submitted.Message.Envelope.Authenticated = "user"
	r.count(now, submitted)
	if got := r.last(now, 1); got.unable != 1 || got.submitted != 1 || got.exempt != 0 || got.messages() != 2 {
		t.Errorf("%+v", got)
	}
}

type dnsFault struct{}

func (dnsFault) Error() string { return "a fault of ours" }
