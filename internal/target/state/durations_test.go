package state

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/result"
)

// Histograms of several phases that are observed in turns are what they are each for itself, in whatever order their
// durations come, and a histogram that was set goes on.
func TestDurationsShareMemory(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	phases := []place{placeOf(1, 0), placeOf(4, 0), placeOf(5, 0), placeOf(5, 1), placeOf(0, 1)}
	var together durations
	apart := map[place]*durations{}
	for n := range 3000 {
		p := phases[random.IntN(len(phases))]
		if apart[p] == nil {
			apart[p] = new(durations)
		}
		seconds := random.ExpFloat64() * []float64{0, 1e-6, 1e-3, 1, 30}[random.IntN(5)]
		x := Exemplar{Value: seconds}
		if n%7 == 0 {
			x.TraceID = "trace"
		}
		together.observe(p, seconds, x)
		apart[p].observe(p, seconds, x)
	}
	for _, p := range phases {
		var got, want, again Histogram
		if !together.get(p, &got) || !apart[p].get(p, &want) || want.Count() < 400 || want.Schema == firstSchema {
			t.Fatalf("place %d: %+v, want all that was observed, in more than %d ranges", p, want, maxNative)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Histogram{})); diff != "" {
			t.Errorf("place %d (-apart +together):\n%s", p, diff)
		}
		var set durations
		set.set(p, &got)
		set.exemplars = together.exemplars
		set.get(p, &again)
		if diff := cmp.Diff(got, again, cmp.AllowUnexported(Histogram{})); diff != "" {
			t.Errorf("place %d (-before +set):\n%s", p, diff)
		}
	}
}

// The durations of a target that answers within a factor of three take at most 384 bytes, after two probes as after
// two thousand.
func TestDurationsAreFlat(t *testing.T) {
	const most = 384
	random := rand.New(rand.NewPCG(1, 2))
	var d durations
	for n := range 2000 {
		for _, phase := range []result.Phase{result.Connect, result.TLS, result.Request, result.Processing, result.Transfer} {
			d.observe(placeOf(phaseIndex(phase), 0), 0.02*(1+2*random.Float64()), Exemplar{})
		}
		if d.size() > most {
			t.Fatalf("they take %d bytes after %d probes, want at most %d", d.size(), n+1, most)
		}
	}
}

// BenchmarkObserve is what a duration costs that falls into one of twenty buckets.
func BenchmarkObserve(b *testing.B) {
	var d durations
	p, n := placeOf(phaseIndex(result.Processing), 0), 0
	for b.Loop() {
		n++
		d.observe(p, 0.02*(1+float64(n%40)/10), Exemplar{})
	}
}
