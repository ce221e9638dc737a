package state

import (
	"math"
	"time"

	"github.com/oklog/ulid/v2"
)

// mostBounds is how many bounds the classic buckets of a phase have at most. A last bucket has no bound.
const mostBounds = 7

// bounds are the upper bounds of the classic buckets in seconds, for the phases of result.Phases that have a duration.
// Linux repeats a SYN that is not answered after 1 s and after 3 s: a connect between the two lost one packet.
var bounds = [PhaseCount][]float64{
	{0.001, 0.005, 0.025, 0.1, 0.5, 1, 5},  // resolve: a cache, a name server; the system's resolver repeats after 5 s
	{0.001, 0.005, 0.025, 0.1, 0.25, 1, 3}, // connect: a rack, a city, a continent, the world; repeated SYNs
	{0.005, 0.025, 0.1, 0.25, 0.5, 1, 5},   // proxy: a few round trips, and what the proxy connects to
	{0.005, 0.025, 0.05, 0.1, 0.25, 1, 3},  // tls: two round trips, and the server's signature
	{0.001, 0.01, 0.1, 1},                  // request: one write, unless it has a long body
	{0.01, 0.05, 0.1, 0.25, 0.5, 1, 5},     // processing: what objectives of APIs are about
	{0.001, 0.01, 0.05, 0.25, 1, 5, 10},    // transfer: nothing, or a body of megabytes
}

// Bounds are the upper bounds of the classic buckets of a phase, which is an index of result.Phases. A last bucket has
// no bound.
func Bounds(phase int) []float64 { return bounds[phase] }

// Native buckets (Prometheus's exponential histograms): of schema 3, that is 8 buckets for each doubling, a factor of
// 1.09. There are at most maxNative of them: where there would be more, the resolution is halved.
const (
	firstSchema = 3
	maxNative   = 160
)

// Histogram counts durations in classic and in native buckets.
type Histogram struct {
	classic   [mostBounds + 1]uint64
	Sum       float64
	Zero      uint64         // observations of 0
	Native    []NativeBucket // by index
	exemplars *[mostBounds + 1]Exemplar
	Schema    int32
	Phase     int8 // index of result.Phases
}

// NativeBucket counts observations v with 2^((index-1)/2^schema) < v <= 2^(index/2^schema). Indices of durations are
// within ±300, and four thousand million probes of a target take longer than we live.
type NativeBucket struct {
	Count uint32
	Index int16
}

// Exemplar is one observation that represents its bucket.
type Exemplar struct {
	TraceID string
	Record  ulid.ULID // the ID of the probe's record; zero if none is kept
	Value   float64
	At      time.Time
}

func newHistogram(phase int) *Histogram { return &Histogram{Phase: int8(phase), Schema: firstSchema} }

// Classic are the classic buckets, each for itself, not cumulative. The last one has no bound.
func (h *Histogram) Classic() []uint64 { return h.classic[:len(bounds[h.Phase])+1] }

// nativeIndex is the bucket of a duration larger than 0.
func nativeIndex(seconds float64, schema int32) int32 {
	return int32(math.Ceil(math.Log2(seconds) * math.Ldexp(1, int(schema))))
}

// halve merges each two neighbouring native buckets into one.
func (h *Histogram) halve() {
	h.Schema--
	merged := h.Native[:0]
	for _, b := range h.Native {
		index := int16(math.Ceil(float64(b.Index) / 2))
		if last := len(merged) - 1; last >= 0 && merged[last].Index == index {
			merged[last].Count += b.Count
		} else {
			merged = append(merged, NativeBucket{b.Count, index})
		}
	}
	h.Native = merged
}

// Count is the number of observations.
func (h *Histogram) Count() uint64 {
	var n uint64
	for _, c := range h.classic {
		n += c
	}
	return n
}

// Exemplar is the exemplar of a classic bucket, nil if it has none.
func (h *Histogram) Exemplar(bucket int) *Exemplar {
	if h.exemplars == nil || h.exemplars[bucket].TraceID == "" {
		return nil
	}
	return &h.exemplars[bucket]
}

// clear takes all observations away; the memory is used again.
func (h *Histogram) clear() {
	*h = Histogram{Phase: h.Phase, Schema: firstSchema, Native: h.Native[:0]}
}
