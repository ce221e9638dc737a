package metrics

import (
	"github.com/oklog/ulid/v2"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

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

// exemplarProto is an exemplar as a protocol buffer.
func exemplarProto(x *state.Exemplar) *dto.Exemplar {
	p := &dto.Exemplar{Value: &x.Value, Timestamp: timestamppb.New(x.At)}
	for _, l := range exemplarLabels(x) {
		p.Label = append(p.Label, &dto.LabelPair{Name: new(l.name), Value: new(l.value)})
	}
	return p
}
