package arc

import (
	"slices"

	"assay/verify/authres"
	"assay/verify/domain"
)

// TrustedFor returns the newest set whose sealer vouches for author, if the
// chain is a ground to override a DMARC failure (RFC 8617 §7.2). sealers are
// the domains whose word the operator takes, compared as they stand: a
// subdomain is another domain. All of this must hold:
//
//   - the chain passes and has no Caveat: its newest message signature covers
//     From, all of the body, and no second From, Subject, … was added since;
//   - that message signature is by one of sealers: who holds its key decides
//     what message the chain is about;
//   - the newest seal is by one of sealers, and so is every one from there down to
//     the set that is returned: each could have changed the message;
//   - the results of that set vouch for author: one of them is dmarc=pass with
//     header.from=author, or dkim=pass with header.d=author, and none is
//     dmarc=fail or could be one, were it readable. A property that occurs twice
//     in a result is not counted.
//
// A sealer that is not listed has no weight at all, whatever it states. Sets
// below the returned one do not matter, because the sealers above did not
// need them for what they state.
func (c Chain) TrustedFor(author domain.Name, sealers []domain.Name) (Set, bool) {
	if c.Result != Pass || c.Caveat != nil || author.IsZero() || len(c.Sets) == 0 {
		return Set{}, false
	}
	if !slices.Contains(sealers, c.Sets[len(c.Sets)-1].Signer) {
		return Set{}, false
	}
	for _, s := range slices.Backward(c.Sets) {
		if !slices.Contains(sealers, s.Sealer) {
			break
		}
		if s.vouches(author) {
			return s, true
		}
	}
	return Set{}, false
}

func (s Set) vouches(author domain.Name) bool {
	if s.obscure {
		return false
	}
	vouched := false
	for _, r := range s.Results.Results {
		switch {
		case r.Method == "dmarc" && r.Value == "fail":
			return false
		case r.Value != "pass":
		case r.Method == "dmarc":
			vouched = vouched || names(r, "from", author)
		case r.Method == "dkim":
			vouched = vouched || names(r, "d", author)
		}
	}
	return vouched
}

// names reports whether the one header property of that name is author.
func names(r authres.Result, property string, author domain.Name) bool {
	count, match := 0, false
	for _, p := range r.Props {
		if p.Type == "header" && p.Name == property {
			count++
			name, err := domain.Parse(p.Value)
			match = err == nil && name == author
		}
	}
	return count == 1 && match
}
