package dmarc

// Stricter reports whether e speaks more against a message than other does,
// for a message with several author domains (RFC 9989 §11.5): a failure under
// a policy most of all, then what could not be evaluated, then a domain that asks
// for nothing, and a pass least. A permerror stands above an outage: the sender
// can cause both, and must not hide one author domain, whose share of questions he
// has used up, behind another of his own, whose DNS does not answer.
func (e Evaluation) Stricter(other Evaluation) bool { return e.weight() > other.weight() }

func (e Evaluation) weight() int {
	switch {
	case e.Result == Fail && e.Requested == PolicyReject:
		return 6
	case e.Result == Fail && e.Requested == PolicyQuarantine:
		return 5
	case e.Result == PermError:
		return 4
	case e.Result == TempError:
		return 3
	case e.Result == Fail:
		return 2
	case e.Result == None:
		return 1
	}
	return 0
}
