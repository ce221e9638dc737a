package metrics

import (
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"errno_exporter/internal/target/state"
)

// Families are the samples as Prometheus's protocol buffers, native histograms included.
func (e *Exposition) Families() []*dto.MetricFamily {
	var all []*dto.MetricFamily
	for _, at := range e.sorted() {
		f := &e.families[at]
		if len(f.samples) == 0 {
			continue
		}
		family := &dto.MetricFamily{Name: &f.name, Help: &f.help, Type: f.kind.Enum()}
		family.Metric = make([]*dto.Metric, len(f.samples))
		metrics := make([]dto.Metric, len(f.samples))
		for i := range f.samples {
			family.Metric[i] = &metrics[i]
			f.fill(&metrics[i], &f.samples[i])
		}
		all = append(all, family)
	}
	return all
}

// targetName is the name of the label that For adds.
var targetName = "target"

// fill makes m the sample. What is many is made in one piece: a thousand targets have a hundred thousand labels and
// buckets.
func (f *family) fill(m *dto.Metric, s *sample) {
	pairs := make([]dto.LabelPair, len(s.labels), len(s.labels)+1)
	for i := range s.labels {
		pairs[i].Name, pairs[i].Value = &s.labels[i].name, &s.labels[i].value
	}
	if s.target != "" {
		pairs = pairs[:len(pairs)+1]
		pairs[len(s.labels)].Name, pairs[len(s.labels)].Value = &targetName, &s.target
	}
	m.Label = make([]*dto.LabelPair, len(pairs))
	for i := range pairs {
		m.Label[i] = &pairs[i]
	}
	switch f.kind {
	case dto.MetricType_COUNTER:
		m.Counter = &dto.Counter{Value: &s.value}
		if s.exemplar != nil {
			m.Counter.Exemplar = exemplarProto(s.exemplar)
		}
	case dto.MetricType_HISTOGRAM:
		m.Histogram = histogramProto(s.histogram, s.buckets)
	default:
		m.Gauge = &dto.Gauge{Value: &s.value}
	}
}

// zeroThreshold is the largest observation that counts as 0: there is none but 0 itself.
const zeroThreshold = 0x1p-128

func histogramProto(h *state.Histogram, kinds buckets) *dto.Histogram {
	p := &dto.Histogram{SampleCount: new(h.Count()), SampleSum: &h.Sum}
	addClassic(p, h)
	if kinds.native() {
		for _, bucket := range p.Bucket {
			if bucket.Exemplar != nil {
				p.Exemplars = append(p.Exemplars, bucket.Exemplar)
			}
		}
		p.Schema, p.ZeroThreshold, p.ZeroCount = &h.Schema, new(float64(zeroThreshold)), &h.Zero
		addSpans(p, h)
	}
	if !kinds.classic() {
		p.Bucket = nil
	}
	return p
}

// addClassic adds the classic buckets with their exemplars.
func addClassic(p *dto.Histogram, h *state.Histogram) {
	counts, bounds := slices.Clone(h.Classic()), state.Bounds(int(h.Phase))
	buckets := make([]dto.Bucket, len(counts))
	p.Bucket = make([]*dto.Bucket, len(counts))
	for i := range buckets {
		if i > 0 {
			counts[i] += counts[i-1]
		}
		bucket := &buckets[i]
		p.Bucket[i] = bucket
		bucket.CumulativeCount, bucket.UpperBound = &counts[i], &infinity
		if i < len(bounds) {
			bucket.UpperBound = &bounds[i]
		}
		if x := h.Exemplar(i); x != nil {
			bucket.Exemplar = exemplarProto(x)
		}
	}
}

// infinity is the bound of the last bucket.
var infinity = math.Inf(1)

// addSpans writes the native buckets: runs of neighbours, each bucket as the difference to the one before.
func addSpans(p *dto.Histogram, h *state.Histogram) {
	var lastIndex int32
	var lastCount int64
	for i, b := range h.Native {
		index := int32(b.Index)
		if gap := index - lastIndex - 1; i == 0 || gap > 0 {
			offset := gap
			if i == 0 {
				offset = index
			}
			p.PositiveSpan = append(p.PositiveSpan, &dto.BucketSpan{Offset: &offset, Length: new(uint32)})
		}
		*p.PositiveSpan[len(p.PositiveSpan)-1].Length++
		p.PositiveDelta = append(p.PositiveDelta, int64(b.Count)-lastCount)
		lastIndex, lastCount = index, int64(b.Count)
	}
	if len(h.Native) == 0 {
		// marks the histogram as native
		p.PositiveSpan = []*dto.BucketSpan{{Offset: new(int32), Length: new(uint32)}}
	}
}
