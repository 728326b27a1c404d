package config

import "strings"

// maxNearest is the longest word, in bytes, that is compared with the names
// we know; anything longer is no slip of the finger.
const maxNearest = 64

// nearest returns the candidate that word was most likely meant to be, or ""
// when none is near.
func nearest(word string, candidates []string) string {
	if len(word) > maxNearest {
		return ""
	}
	// Of a short word at most half may be wrong.
	best, least := "", min(max(2, len(word)/3), len(word)/2)+1
	for _, c := range candidates {
		d := distance(strings.ToLower(word), c)
		// The right name in the wrong section.
		if d > 1 && lastPart(word) == lastPart(c) {
			d = 1
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// distance is the Levenshtein distance of a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
