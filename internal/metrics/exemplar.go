package metrics

import (
	"github.com/oklog/ulid/v2"
	"google.golang.org/protobuf/encoding/protowire"

	"errno_exporter/internal/target/state"
)

// Exemplars lead to the records of probes: of a phase's time where the request bore a trace ID, and of failures. With
// both labels one has 72 of the 128 characters that OpenMetrics 1.0 allows.

// exemplarOf is the exemplar of one failure, from its record's ID, which has the time; nil without a record.
func exemplarOf(record ulid.ULID) *state.Exemplar {
	if record == ulid.Zero {
		return nil
	}
	return &state.Exemplar{Record: record, Value: 1, At: ulid.Time(record.Time())}
}

// exemplarLabels are the trace ID and the ID of the record, where there are such.
func exemplarLabels(x *state.Exemplar) []label {
	var labels []label
	if x.TraceID != "" {
		labels = append(labels, label{"trace_id", x.TraceID})
	}
	if x.Record != ulid.Zero {
		labels = append(labels, label{"record", x.Record.String()})
	}
	return labels
}

// appendExemplar writes an exemplar in OpenMetrics.
func appendExemplar(b []byte, x *state.Exemplar) []byte {
	b = append(b, " # {"...)
	for _, l := range exemplarLabels(x) {
		b = appendPair(b, l.name, l.value)
	}
	b[len(b)-1] = '}' // in place of the last comma
	b = append(appendFloat(append(b, ' '), x.Value, openMetrics), ' ')
	return appendFloat(b, float64(x.At.UnixNano())/1e9, openMetrics)
}

// appendExemplarMessage writes an exemplar as a protocol buffer, a field of its sample or bucket.
func appendExemplarMessage(b []byte, field protowire.Number, x *state.Exemplar) []byte {
	b, from := begin(b, field)
	for _, l := range exemplarLabels(x) {
		b = appendLabelPair(b, l.name, l.value)
	}
	b = appendFloat64(b, exemplarValue, x.Value)
	b, at := begin(b, exemplarTimestamp)
	if seconds := x.At.Unix(); seconds != 0 {
		b = appendVarint(b, timestampSeconds, uint64(seconds))
	}
	if nanos := x.At.Nanosecond(); nanos != 0 {
		b = appendVarint(b, timestampNanos, uint64(nanos))
	}
	return end(end(b, at), from)
}
