package metrics

import (
	"math"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Families are the samples as Prometheus's protocol buffers, native histograms included.
func (e *Exposition) Families() []*dto.MetricFamily {
	var all []*dto.MetricFamily
	for _, f := range e.sorted() {
		family := &dto.MetricFamily{Name: &f.name, Help: &f.help, Type: f.kind.Enum()}
		for i := range f.samples {
			family.Metric = append(family.Metric, f.metric(&f.samples[i]))
		}
		all = append(all, family)
	}
	return all
}

func (f *family) metric(s *sample) *dto.Metric {
	m := new(dto.Metric)
	for i := range s.labels {
		m.Label = append(m.Label, &dto.LabelPair{Name: &s.labels[i].name, Value: &s.labels[i].value})
	}
	if s.target != "" {
		m.Label = append(m.Label, &dto.LabelPair{Name: new("target"), Value: &s.target})
	}
	switch f.kind {
	case dto.MetricType_COUNTER:
		m.Counter = &dto.Counter{Value: &s.value}
	case dto.MetricType_HISTOGRAM:
		m.Histogram = s.histogram.proto()
	default:
		m.Gauge = &dto.Gauge{Value: &s.value}
	}
	return m
}

// zeroThreshold is the largest observation that counts as 0: there is none but 0 itself.
const zeroThreshold = 0x1p-128

func (h *histogram) proto() *dto.Histogram {
	p := &dto.Histogram{
		SampleCount: new(h.count()), SampleSum: &h.sum,
		Schema: &h.schema, ZeroThreshold: new(float64(zeroThreshold)), ZeroCount: &h.zero,
	}
	var cumulative uint64
	for i := range h.classic {
		cumulative += h.classic[i]
		bound := math.Inf(1)
		if i < len(bounds) {
			bound = bounds[i]
		}
		bucket := &dto.Bucket{CumulativeCount: new(cumulative), UpperBound: &bound}
		if x := h.exemplarOf(i); x != nil {
			bucket.Exemplar = &dto.Exemplar{
				Label: []*dto.LabelPair{{Name: new("trace_id"), Value: &x.traceID}}, Value: &x.value, Timestamp: timestamppb.New(x.at),
			}
			p.Exemplars = append(p.Exemplars, bucket.Exemplar)
		}
		p.Bucket = append(p.Bucket, bucket)
	}
	h.addSpans(p)
	return p
}

// addSpans writes the native buckets: runs of neighbours, each bucket as the difference to the one before.
func (h *histogram) addSpans(p *dto.Histogram) {
	var lastIndex int32
	var lastCount int64
	for i, b := range h.native {
		if gap := b.index - lastIndex - 1; i == 0 || gap > 0 {
			offset := gap
			if i == 0 {
				offset = b.index
			}
			p.PositiveSpan = append(p.PositiveSpan, &dto.BucketSpan{Offset: &offset, Length: new(uint32)})
		}
		*p.PositiveSpan[len(p.PositiveSpan)-1].Length++
		p.PositiveDelta = append(p.PositiveDelta, int64(b.count)-lastCount)
		lastIndex, lastCount = b.index, int64(b.count)
	}
	if len(h.native) == 0 {
		p.PositiveSpan = []*dto.BucketSpan{{Offset: new(int32), Length: new(uint32)}} // says that the histogram is native
	}
}
