package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/result"
)

// TestHistogram: rows are observations in seconds; native is index:count of schema 3.
func TestHistogram(t *testing.T) {
	for _, row := range []struct {
		name    string
		seconds []float64
		classic map[float64]uint64 // cumulative, at bounds
		native  map[int32]uint64
		zero    uint64
	}{
		{"nothing", nil, map[float64]uint64{5: 0}, map[int32]uint64{}, 0},
		{"on a bound", []float64{0.5, 1}, map[float64]uint64{0.25: 0, 0.5: 1, 1: 2, 5: 2},
			map[int32]uint64{-8: 1, 0: 1}, 0},
		{"beyond the last bound", []float64{11}, map[float64]uint64{5: 0}, map[int32]uint64{28: 1}, 0},
		{"zero", []float64{0}, map[float64]uint64{0.01: 1}, map[int32]uint64{}, 1},
		{"twice in one bucket", []float64{3, 3.01}, map[float64]uint64{1: 0, 5: 2}, map[int32]uint64{13: 2}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, sum := observed(row.seconds), 0.0
			for _, s := range row.seconds {
				sum += s
			}
			native := map[int32]uint64{}
			for _, b := range h.Native {
				native[int32(b.Index)] = uint64(b.Count)
			}
			if diff := cmp.Diff(row.native, native); diff != "" || h.Zero != row.zero || h.Sum != sum ||
				h.Count() != uint64(len(row.seconds)) {
				t.Errorf("zero %d, sum %v, count %d, want %d, %v, %d; native (-want +got):\n%s", h.Zero, h.Sum,
					h.Count(), row.zero, sum, len(row.seconds), diff)
			}
			for bound, want := range row.classic {
				var got uint64
				for i, b := range Bounds(int(h.Phase)) {
					if b <= bound {
						got += h.Classic()[i]
					}
				}
				if got != want {
					t.Errorf("le %v: %d, want %d", bound, got, want)
				}
			}
		})
	}
}

// observed is the histogram of durations, which have been observed in their order.
func observed(seconds []float64) *Histogram {
	var d durations
	p, h := placeOf(phaseIndex(result.Processing), 0), newHistogram(phaseIndex(result.Processing))
	for _, s := range seconds {
		d.observe(p, s, Exemplar{})
	}
	d.get(p, h)
	return h
}

// TestHistogramStaysSmall: more than 160 native buckets become fewer, and nothing is lost.
func TestHistogramStaysSmall(t *testing.T) {
	var all []float64
	for v := 1e-9; v < 1e9; v *= 1.05 {
		all = append(all, v)
	}
	h, n := observed(all), len(all)
	var counted uint64
	for i, b := range h.Native {
		counted += uint64(b.Count)
		if i > 0 && b.Index <= h.Native[i-1].Index {
			t.Fatalf("bucket %d follows bucket %d", b.Index, h.Native[i-1].Index)
		}
	}
	if len(h.Native) > maxNative || counted != uint64(n) || h.Schema != 1 {
		t.Errorf("%d buckets of schema %d with %d observations, want at most %d of schema 1 with %d", len(h.Native),
			h.Schema, counted, maxNative, n)
	}
	if index := nativeIndex(1e-9, h.Schema); int32(h.Native[0].Index) != index {
		t.Errorf("the first bucket is %d, want %d", h.Native[0].Index, index)
	}
}
