package policy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"assay/verify"
)

// spared reports whether the sender named key is among the given per cent of
// senders. One that is spared at 30 is spared at 40: raising a share in steps
// moves nobody back. The hash is keyed so that two sites do not try out their
// policies on the same senders.
func (r *Rules) spared(percent int, key string) bool {
	if percent <= 0 || percent >= 100 {
		return percent > 0
	}
	mac := hmac.New(sha256.New, []byte(r.Key))
	mac.Write([]byte(key))
	return binary.BigEndian.Uint64(mac.Sum(nil))%100 < uint64(percent)
}

// FallBack is the verdict where too many messages are refused: what would be
// refused is tagged.
func (v Verdict) FallBack(f verify.Findings) Verdict {
	if v.Action != Reject {
		return v
	}
	v.Would, v.Action = v.decision(), Tag
	v.Reason, v.Note = "fallen back to tag: "+v.Reason, "fallback"
	return v.settled(&f)
}
