package metrics

import (
	"encoding/binary"
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protowire"

	"errno_exporter/internal/target/state"
)

// Protocol buffers are written as Prometheus reads them, without messages of client_model in between: a thousand
// targets have a hundred thousand of those. A test compares what is written with what client_model writes.

// The fields of the messages (io/prometheus/client/metrics.proto of client_model), by message.
const (
	familyName, familyHelp, familyType, familyMetric = 1, 2, 3, 4
	metricLabel, metricGauge                         = 1, 2
	metricCounter, metricHistogram                   = 3, 7
	labelName, labelValue                            = 1, 2
	counterValue, counterExemplar                    = 1, 2 // and those of a gauge
	histogramCount, histogramSum, histogramBucket    = 1, 2, 3
	histogramSchema                                  = 5
	histogramZeroThreshold, histogramZeroCount       = 6, 7
	histogramSpan, histogramDelta, histogramExemplar = 12, 13, 16
	bucketCount, bucketUpperBound, bucketExemplar    = 1, 2, 3
	spanOffset, spanLength                           = 1, 2
	exemplarLabel, exemplarValue, exemplarTimestamp  = 1, 2, 3
	timestampSeconds, timestampNanos                 = 1, 2
)

// headMessage is what a family's message has besides its samples.
func (f *family) headMessage() string {
	b := appendString(nil, familyName, f.name)
	b = appendString(b, familyHelp, f.help)
	return string(appendVarint(b, familyType, uint64(f.kind)))
}

// delimiter is the length of a family's message, which is written before it.
func (f *family) delimiter() []byte {
	return binary.AppendUvarint(nil, uint64(len(f.head(protobuf))+len(f.written)))
}

// appendMetric writes a sample as a field of its family.
func appendMetric(b []byte, kind dto.MetricType, s *sample) []byte {
	b, from := begin(b, familyMetric)
	b = append(b, s.labels...)
	switch kind {
	case dto.MetricType_COUNTER:
		b = appendCounter(b, s)
	case dto.MetricType_HISTOGRAM:
		b = appendHistogramMessage(b, s.histogram, s.buckets)
	default:
		b = protowire.AppendTag(b, metricGauge, protowire.BytesType)
		b = appendFloat64(append(b, 9), counterValue, s.value) // 9 bytes: a tag and eight
	}
	return end(b, from)
}

func appendCounter(b []byte, s *sample) []byte {
	b, from := begin(b, metricCounter)
	b = appendFloat64(b, counterValue, s.value)
	if s.exemplar != nil {
		b = appendExemplarMessage(b, counterExemplar, s.exemplar)
	}
	return end(b, from)
}

// appendLabelPair writes a label as a field of its sample, or of its exemplar: both have the same number.
func appendLabelPair(b []byte, name, value string) []byte {
	b, from := begin(b, metricLabel)
	b = appendString(b, labelName, name)
	b = appendString(b, labelValue, value)
	return end(b, from)
}

// zeroThreshold is the largest observation that counts as 0: there is none but 0 itself.
const zeroThreshold = 0x1p-128

func appendHistogramMessage(b []byte, h *state.Histogram, kinds buckets) []byte {
	b, from := begin(b, metricHistogram)
	b = appendVarint(b, histogramCount, h.Count())
	b = appendFloat64(b, histogramSum, h.Sum)
	if kinds.classic() {
		b = appendClassic(b, h)
	}
	if kinds.native() {
		b = appendVarint(b, histogramSchema, protowire.EncodeZigZag(int64(h.Schema)))
		b = appendFloat64(b, histogramZeroThreshold, zeroThreshold)
		b = appendVarint(b, histogramZeroCount, h.Zero)
		b = appendNative(b, h)
		for i := range h.Classic() {
			if x := h.Exemplar(i); x != nil {
				b = appendExemplarMessage(b, histogramExemplar, x)
			}
		}
	}
	return end(b, from)
}

// appendClassic writes the classic buckets with their exemplars.
func appendClassic(b []byte, h *state.Histogram) []byte {
	var cumulative uint64
	bounds := state.Bounds(int(h.Phase))
	for i, n := range h.Classic() {
		bound := math.Inf(1)
		if i < len(bounds) {
			bound = bounds[i]
		}
		cumulative += n
		var from int
		b, from = begin(b, histogramBucket)
		b = appendVarint(b, bucketCount, cumulative)
		b = appendFloat64(b, bucketUpperBound, bound)
		if x := h.Exemplar(i); x != nil {
			b = appendExemplarMessage(b, bucketExemplar, x)
		}
		b = end(b, from)
	}
	return b
}

// appendNative writes the native buckets: the runs of neighbours, then each bucket as the difference to the one before.
func appendNative(b []byte, h *state.Histogram) []byte {
	var next int64 // the index behind the last run
	for rest := h.Native; len(rest) > 0; {
		first, run := int64(rest[0].Index), 1
		for run < len(rest) && int64(rest[run].Index) == first+int64(run) {
			run++
		}
		b = appendSpan(b, first-next, run)
		next, rest = first+int64(run), rest[run:]
	}
	if len(h.Native) == 0 {
		b = appendSpan(b, 0, 0) // marks the histogram as native
	}
	var last int64
	for _, bucket := range h.Native {
		b = appendVarint(b, histogramDelta, protowire.EncodeZigZag(int64(bucket.Count)-last))
		last = int64(bucket.Count)
	}
	return b
}

// appendSpan writes a run of native buckets, and by how much it is further than the one before.
func appendSpan(b []byte, offset int64, length int) []byte {
	b, from := begin(b, histogramSpan)
	b = appendVarint(b, spanOffset, protowire.EncodeZigZag(offset))
	b = appendVarint(b, spanLength, uint64(length))
	return end(b, from)
}

// begin begins a field that is a message, and end ends it: there its length is known, and written before it.
func begin(b []byte, field protowire.Number) (message []byte, from int) {
	b = append(protowire.AppendTag(b, field, protowire.BytesType), 0) // most lengths take one byte
	return b, len(b)
}

func end(b []byte, from int) []byte {
	length := uint64(len(b) - from)
	if more := protowire.SizeVarint(length) - 1; more > 0 {
		var room [binary.MaxVarintLen64]byte
		b = slices.Insert(b, from, room[:more]...)
	}
	binary.PutUvarint(b[from-1:], length)
	return b
}

func appendString(b []byte, field protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), value)
}

func appendVarint(b []byte, field protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), value)
}

func appendFloat64(b []byte, field protowire.Number, value float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), math.Float64bits(value))
}
