package lookup

// Keeper is a Resolver that keeps answers. Most questions are about few domains:
// what they need is kept, and no goroutine has to wait for it.
type Keeper interface {
	Resolver
	// Try calls work with a Resolver that answers what is kept and fails at once
	// for all else, and reports whether work asked for nothing else. Where it did, what
	// it returned means nothing, and work is to be done again with the Keeper
	// itself.
	Try(work func(kept Resolver)) bool
}

// Try is r's Try; where r keeps nothing, work is not done.
func Try(r Resolver, work func(kept Resolver)) bool {
	k, ok := r.(Keeper)
	return ok && k.Try(work)
}
