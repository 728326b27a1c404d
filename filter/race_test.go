//go:build race

package filter_test

// raceEnabled: the race detector is on.
const raceEnabled = true
