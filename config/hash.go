package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Hash is the SHA-256, hexadecimal, of all that c says, the items of list files
// and the policy to try included. Two configurations with the same hash do the
// same.
func (c Config) Hash() string {
	hash := sha256.New()
	for at := &c; at != nil; at = at.Next {
		all := *at
		all.sources = nil // the items themselves, not where they are from
		for _, s := range all.Show() {
			fmt.Fprintln(hash, s)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}
