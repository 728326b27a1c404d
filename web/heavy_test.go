package web

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// TestHeavy finds three names that occur often among many that occur once, and
// never says that it is sure of more than there were.
func TestHeavy(t *testing.T) {
	var h heavy
	random := rand.New(rand.NewPCG(1, 2))
	real := map[string]uint64{}
	for i := range 20_000 {
		name := fmt.Sprintf("once%d.example", i)
		if random.IntN(10) == 0 {
			name = []string{"a.example", "b.example", "b.example", "c.example", "c.example", "c.example"}[random.IntN(6)]
		}
		real[name]++
		h.add(noon, name)
	}
	top := h.top(noon, 3)
	for i, want := range []string{"c.example", "b.example", "a.example"} {
		got := top[i]
		if got.Domain != want || got.AtLeast > real[want] || got.Messages < real[want] {
			t.Errorf("%d: %+v, want %s with %d", i, got, want, real[want])
		}
	}
	if len(h.now) > heavyNames {
		t.Errorf("%d names are kept, want %d at most", len(h.now), heavyNames)
	}
}

// TestHeavyLimit: as many names as there is room for are counted exactly; one
// more, and the rarest goes.
func TestHeavyLimit(t *testing.T) {
	var h heavy
	for i := range heavyNames {
		h.add(noon, fmt.Sprint(i))
		h.add(noon, fmt.Sprint(i))
	}
	if top := h.top(noon, heavyNames+1); len(top) != heavyNames || top[heavyNames-1].AtLeast != 2 {
		t.Errorf("%d names, the last %+v", len(top), top[len(top)-1])
	}
	h.add(noon, "new")
	if top := h.top(noon, heavyNames+1); len(top) != heavyNames || top[0] != (Frequent{"new", 3, 1}) {
		t.Errorf("%d names, the first %+v", len(top), top[0])
	}
}

// TestHeavyAge: a name is spoken of for 12 hours at least, and 24 at most.
func TestHeavyAge(t *testing.T) {
	var h heavy
	h.add(noon, "early.example")
	h.add(noon.Add(heavyAge-time.Second), "early.example")
	h.add(noon.Add(heavyAge), "late.example")
	if top := h.top(noon.Add(2*heavyAge-time.Second), 9); len(top) != 2 || top[0] != (Frequent{"early.example", 2, 2}) {
		t.Errorf("within a day: %+v", top)
	}
	if top := h.top(noon.Add(2*heavyAge), 9); len(top) != 1 || top[0].Domain != "late.example" {
		t.Errorf("after a day: %+v", top)
	}
	if top := h.top(noon.Add(9*heavyAge), 9); len(top) != 0 {
		t.Errorf("much later: %+v", top)
	}
}

func BenchmarkHeavyFull(b *testing.B) {
	var h heavy
	for i := 0; b.Loop(); i++ {
		h.add(noon, fmt.Sprint(i))
	}
}
