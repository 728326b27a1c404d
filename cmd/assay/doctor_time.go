package main

import (
	"math"
	"strconv"
	"time"
)

// units of time in the files of both MTAs.
var mtaUnits = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parseMTATime reads a time of Postfix or Sendmail, in seconds where it has no
// unit.
func parseMTATime(text string) (time.Duration, bool) {
	unit := time.Second
	if text != "" {
		if u, ok := mtaUnits[text[len(text)-1]]; ok {
			text, unit = text[:len(text)-1], u
		}
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if most := math.MaxInt64 / uint64(unit); n > most {
		n = most
	}
	return time.Duration(n) * unit, err == nil
}
