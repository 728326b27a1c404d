package filter

import "math/rand/v2"

// refAlphabet has no letter that is mistaken for a figure or another letter, when
// read aloud or copied by hand.
const refAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newRef returns a new reference, such as 7Q3K-9ZMW-04TB: 60 random bits. It names a
// message in the log and in its refusal, and gives nothing away.
func newRef() string {
	bits := rand.Uint64()
	ref := make([]byte, 0, 14)
	for i := range 12 {
		if i > 0 && i%4 == 0 {
			ref = append(ref, '-')
		}
		ref = append(ref, refAlphabet[bits&31])
		bits >>= 5
	}
	return string(ref)
}
