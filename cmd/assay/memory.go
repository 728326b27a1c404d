package main

import (
	"os"
	"runtime/debug"
)

// garbage is how much may lie about before it is collected, in per cent of what is in
// use. In use are a few MiB and the kept answers of DNS: with the 100 per cent of Go the
// collector would be a tenth of the work.
const garbage = 200

// collectLess makes the collector run less often, unless the environment says how
// often.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}
