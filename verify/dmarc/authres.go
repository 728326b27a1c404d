package dmarc

import (
	"strings"

	"assay/verify/authres"
)

// AuthRes returns e as an entry of Authentication-Results (RFC 9989 §9.2, RFC
// 8601 §2.7). disposition says what was done with the message, in the comment;
// "" for nothing worth saying.
func (e Evaluation) AuthRes(disposition string) authres.Result {
	result := authres.Result{
		Method: "dmarc",
		Value:  string(e.Result),
		Props:  []authres.Prop{{Type: "header", Name: "from", Value: e.AuthorDomain.String()}},
	}
	if e.Result == None {
		return result
	}
	result.Comment = e.comment(disposition)
	if e.Requested != "" {
		policy := authres.Prop{Type: "policy", Name: "dmarc", Value: string(e.Requested)}
		result.Props = append(result.Props, policy)
	}
	return result
}

// comment is what the owner publishes and what was done, as "p=reject sp=none
// dis=quarantine", or why the message cannot be evaluated.
func (e Evaluation) comment(disposition string) string {
	reason := ""
	if e.Result == PermError && e.Err != nil {
		reason = strings.TrimPrefix(e.Err.Error(), "dmarc: ")
	}
	var words []string
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+"="+value)
		}
	}
	if e.Record != nil {
		add("p", string(e.Record.P))
		add("sp", string(e.Record.SP))
		add("np", string(e.Record.NP))
	}
	if e.TestMode {
		add("t", "y")
	}
	add("dis", disposition)
	if reason != "" && len(words) > 0 {
		reason += ", "
	}
	return reason + strings.Join(words, " ")
}
