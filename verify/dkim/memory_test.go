package dkim_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"assay/verify/dkim"
	"assay/verify/domain"
)

// TestAllocations: a message costs few allocations, however long its body is.
func TestAllocations(t *testing.T) {
	const most = 60
	s := newSigner(t, 2048)
	v := dkim.Verifier{Resolver: s.zone, Now: time.Now} // the signer states the time of signing
	var counts []float64
	for _, size := range []int{20 << 10, 5 << 20} {
		header, body := split(s.sign(t, append([]byte(benchHeader), text(size)...), 1, dkim.Relaxed))
		allocs := testing.AllocsPerRun(10, func() {
			if got := verify(v, header, body); got[0].Result != dkim.Pass {
				t.Fatal(got[0].Err)
			}
		})
		if allocs > most {
			t.Errorf("%d octets: %v allocations, want %d at most", size, allocs, most)
		}
		counts = append(counts, allocs)
	}
	if counts[1] > counts[0]+1 {
		t.Errorf("%v allocations for 20 KiB, %v for 5 MiB: they grow with the body", counts[0], counts[1])
	}
}

// TestMemory: a body of 50 MB with three signatures holds less than 1 MiB, at
// any moment, above what the process had before.
func TestMemory(t *testing.T) {
	s := newSigner(t, 1024)
	header := three(t, s)
	chunk := text(chunkSize)
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := live()
	var bodies dkim.Bodies
	bodies.Want(dkim.Simple, -1)
	run := dkim.Verifier{Resolver: s.zone, Now: clock}.Begin(context.Background(), header, domain.Name{}, &bodies)
	peak := uint64(0)
	for fed := 0; fed < 50_000_000; fed += len(chunk) {
		bodies.Write(chunk)
		if fed%(64*len(chunk)) == 0 {
			peak = max(peak, live())
		}
	}
	bodies.Close()
	peak = max(peak, live())
	if got := run.Finish(); len(got) != 3 || got[0].Result != dkim.Fail {
		t.Errorf("got %+v, want three failures: the body is another one", got)
	}
	t.Logf("the heap grew by %d octets at most", int64(peak)-int64(before))
	if peak > before+1<<20 {
		t.Errorf("the heap grew by %d octets", peak-before)
	}
}
