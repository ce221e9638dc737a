package metrics

import (
	"math"
	"slices"
	"strconv"
)

// bounds are the upper bounds of the classic buckets in seconds: from a connect on the same network to a response that
// nobody waits for any more. A last bucket has no bound.
var bounds = [...]float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// boundTexts are the values of the label le, by dialect.
var boundTexts = [2][]string{plainText: texts(plainText), openMetrics: texts(openMetrics)}

func texts(d dialect) []string {
	var all []string
	for _, bound := range bounds {
		text := strconv.FormatFloat(bound, 'g', -1, 64)
		if d == openMetrics && bound == math.Trunc(bound) {
			text += ".0"
		}
		all = append(all, text)
	}
	return append(all, "+Inf")
}

// Native buckets (Prometheus's exponential histograms): of schema 3, that is 8 buckets for each doubling, a factor of
// 1.09. There are at most maxNative of them: rather than more the resolution is halved.
const (
	firstSchema = 3
	maxNative   = 160
)

// histogram counts durations in classic and in native buckets. client_golang's takes ten times its memory, and there
// are a dozen for each of the targets remembered.
type histogram struct {
	classic   [len(bounds) + 1]uint64 // each for itself, not cumulative
	sum       float64
	schema    int32
	zero      uint64         // observations of 0
	native    []nativeBucket // by index
	exemplars *[len(bounds) + 1]exemplar
}

// nativeBucket counts observations v with 2^((index-1)/2^schema) < v <= 2^(index/2^schema). It is small: ten thousand
// targets have millions of them. Indices of durations are within ±300, and four thousand million probes of a target
// take longer than we live.
type nativeBucket struct {
	count uint32
	index int16
}

// usualNative is how many native buckets most phases of a target come to within its first probes.
const usualNative = 8

func newHistogram() *histogram {
	return &histogram{schema: firstSchema, native: make([]nativeBucket, 0, usualNative)}
}

// observe counts a duration in seconds. The exemplar takes the place of its bucket's last one unless it has no trace
// ID.
func (h *histogram) observe(seconds float64, x exemplar) {
	at, _ := slices.BinarySearch(bounds[:], seconds)
	h.classic[at]++
	h.sum += seconds
	h.observeNative(seconds)
	if x.traceID != "" {
		if h.exemplars == nil {
			h.exemplars = new([len(bounds) + 1]exemplar)
		}
		h.exemplars[at] = x
	}
}

func (h *histogram) observeNative(seconds float64) {
	if seconds <= 0 {
		h.zero++
		return
	}
	index := int16(nativeIndex(seconds, h.schema))
	at, found := slices.BinarySearchFunc(h.native, index,
		func(b nativeBucket, i int16) int { return int(b.index) - int(i) })
	if !found {
		h.native = slices.Insert(h.native, at, nativeBucket{index: index})
	}
	h.native[at].count++
	if len(h.native) > maxNative {
		h.halve()
	}
}

// nativeIndex is the bucket of a duration larger than 0.
func nativeIndex(seconds float64, schema int32) int32 {
	return int32(math.Ceil(math.Log2(seconds) * math.Ldexp(1, int(schema))))
}

// halve merges each two neighbouring native buckets into one.
func (h *histogram) halve() {
	h.schema--
	merged := h.native[:0]
	for _, b := range h.native {
		index := int16(math.Ceil(float64(b.index) / 2))
		if last := len(merged) - 1; last >= 0 && merged[last].index == index {
			merged[last].count += b.count
		} else {
			merged = append(merged, nativeBucket{b.count, index})
		}
	}
	h.native = merged
}

// count is the number of observations.
func (h *histogram) count() uint64 {
	var n uint64
	for _, c := range h.classic {
		n += c
	}
	return n
}

// exemplarOf is the exemplar of a classic bucket, nil if it has none.
func (h *histogram) exemplarOf(bucket int) *exemplar {
	if h.exemplars == nil || h.exemplars[bucket].traceID == "" {
		return nil
	}
	return &h.exemplars[bucket]
}

// copy makes h the same as another, which may change after.
func (h *histogram) copy(other *histogram) {
	native := append(h.native[:0], other.native...)
	*h = *other
	h.native = native
	if other.exemplars != nil {
		exemplars := *other.exemplars
		h.exemplars = &exemplars
	}
}
