package metrics

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/prototext"

	"errno_exporter/config"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/result"
)

// TestProtobuf: rows are samples; want is the message of their family, of which client_model writes the same bytes.
func TestProtobuf(t *testing.T) {
	record, long := ulid.ULID{15: 1}, strings.Repeat("long", 100)
	value := func(v float64) func(*Exposition) { return func(e *Exposition) { e.gauge("m", "H.", v) } }
	counter := func(x *state.Exemplar) func(*Exposition) {
		return func(e *Exposition) { e.add("m_total", "H.", dto.MetricType_COUNTER, sample{value: 2, exemplar: x}) }
	}
	const gauge, total = `name:"m" help:"H." type:GAUGE `, `name:"m_total" help:"H." type:COUNTER `
	for _, row := range []struct {
		name string
		add  func(*Exposition)
		want string
	}{
		{"a gauge", value(1.5), gauge + `metric:{gauge:{value:1.5}}`},
		{"0", value(0), gauge + `metric:{gauge:{value:0}}`},
		{"-0", value(math.Copysign(0, -1)), gauge + `metric:{gauge:{value:-0}}`},
		{"no number", value(math.NaN()), gauge + `metric:{gauge:{value:nan}}`},
		{"infinite", value(math.Inf(1)), gauge + `metric:{gauge:{value:inf}}`},
		{"infinite, less than 0", value(math.Inf(-1)), gauge + `metric:{gauge:{value:-inf}}`},
		{"two samples with labels", func(e *Exposition) {
			e.gauge("m", "H.", 1, label{"a", "b"}, label{"c", ""})
			e.gauge("m", "H.", 2, label{"a", "d"})
		}, gauge + `metric:{label:{name:"a" value:"b"} label:{name:"c" value:""} gauge:{value:1}}` +
			`metric:{label:{name:"a" value:"d"} gauge:{value:2}}`},
		{"of two targets", func(e *Exposition) {
			e.For(`a "quoted\ name`)
			e.gauge("m", "H.", 1, label{"a", "b"})
			e.For("c")
			e.gauge("m", "H.", 2)
		}, gauge + `metric:{label:{name:"a" value:"b"} label:{name:"target" value:"a \"quoted\\ name"} gauge:{value:1}}` +
			`metric:{label:{name:"target" value:"c"} gauge:{value:2}}`},
		{"foreign bytes in a label", func(e *Exposition) { e.gauge("m", "H.", 1, label{"a", "\xff\x00é\n\"\\"}) },
			gauge + `metric:{label:{name:"a" value:"\ufffd\\u0000é\\u000a\"\\"} gauge:{value:1}}`},
		{"a label whose length takes two bytes", func(e *Exposition) { e.gauge("m", "H.", 1, label{"a", long}) },
			gauge + `metric:{label:{name:"a" value:"` + long + `"} gauge:{value:1}}`},
		{"a counter", counter(nil), total + `metric:{counter:{value:2}}`},
		{"a counter with an exemplar", counter(&state.Exemplar{Record: record, Value: 1, At: time.UnixMilli(1500)}),
			total + `metric:{counter:{value:2 exemplar:{label:{name:"record" value:"00000000000000000000000001"} value:1
				timestamp:{seconds:1 nanos:500000000}}}}`},
		{"an exemplar of 1970", counter(&state.Exemplar{TraceID: "ab", Value: 1, At: time.Unix(0, 0)}),
			total + `metric:{counter:{value:2 exemplar:{label:{name:"trace_id" value:"ab"} value:1 timestamp:{}}}}`},
		{"an exemplar before 1970", counter(&state.Exemplar{TraceID: "ab", Value: 1, At: time.Unix(-1, 7)}),
			total + `metric:{counter:{value:2 exemplar:{label:{name:"trace_id" value:"ab"} value:1
				timestamp:{seconds:-1 nanos:7}}}}`},
	} {
		t.Run(row.name, func(t *testing.T) { compareMessages(t, row.add, row.want) })
	}
}

// TestProtobufHistograms: rows are the choices and how long it took to write requests; want is the message of the
// histogram.
func TestProtobufHistograms(t *testing.T) {
	const low, next, high = 62500 * time.Microsecond, 64453125, 2 * time.Second // in the native buckets -32, -31 and 8
	const classic = `sample_count:4 sample_sum:2.126953125 bucket:{cumulative_count:1 upper_bound:0.001}
		bucket:{cumulative_count:1 upper_bound:0.01} bucket:{cumulative_count:3 upper_bound:0.1}
		bucket:{cumulative_count:3 upper_bound:1} bucket:{cumulative_count:4 upper_bound:inf}`
	const native = ` schema:3 zero_threshold:2.938735877055719e-39 `
	for _, row := range []struct {
		name   string
		choice config.Histograms
		times  []time.Duration
		trace  string
		want   string
	}{
		{"classic", config.ClassicHistograms, []time.Duration{0, low, next, high}, "", classic},
		{"native", config.NativeHistograms, []time.Duration{0, low, next, high}, "",
			`sample_count:4 sample_sum:2.126953125` + native + `zero_count:1 positive_span:{offset:-32 length:2}
				positive_span:{offset:38 length:1} positive_delta:1 positive_delta:0 positive_delta:0`},
		{"counts that differ", config.NativeHistograms, []time.Duration{high, high, high, 2 * high, high / 2}, "",
			`sample_count:5 sample_sum:11` + native + `zero_count:0 positive_span:{offset:0 length:1}
				positive_span:{offset:7 length:1} positive_span:{offset:7 length:1}
				positive_delta:1 positive_delta:2 positive_delta:-2`},
		{"nothing but 0", config.NativeHistograms, []time.Duration{0}, "",
			`sample_count:1 sample_sum:0` + native + `zero_count:1 positive_span:{offset:0 length:0}`},
		{"native, with an exemplar", config.NativeHistograms, []time.Duration{high}, "ab",
			`sample_count:1 sample_sum:2` + native + `zero_count:0 positive_span:{offset:8 length:1} positive_delta:1
				exemplars:{label:{name:"trace_id" value:"ab"} value:2 timestamp:{seconds:1002}}`},
		{"classic, with an exemplar", config.ClassicHistograms, []time.Duration{high}, "ab",
			`sample_count:1 sample_sum:2 bucket:{cumulative_count:0 upper_bound:0.001}
				bucket:{cumulative_count:0 upper_bound:0.01} bucket:{cumulative_count:0 upper_bound:0.1}
				bucket:{cumulative_count:0 upper_bound:1} bucket:{cumulative_count:1 upper_bound:inf
				exemplar:{label:{name:"trace_id" value:"ab"} value:2 timestamp:{seconds:1002}}}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			totals := state.NewTotals()
			for _, d := range row.times {
				r := probed(attempt(nil, result.Span{Phase: result.Request, Duration: d}))
				r.TraceID = row.trace
				totals.Add(r, ulid.Zero)
			}
			var c state.Counts
			totals.CopyTo(&c)
			compareMessages(t, func(e *Exposition) { e.addHistograms(&c, row.choice) }, `name:"probe_phase_duration_seconds"
				help:"How long the phases of all attempts took, in seconds, by whether the phase succeeded." type:HISTOGRAM
				metric:{label:{name:"phase" value:"request"} label:{name:"result" value:"success"} histogram:{`+row.want+`}}`)
		})
	}
}

// compareMessages compares what is written of samples with what client_model writes of a message.
func compareMessages(t *testing.T, add func(*Exposition), message string) {
	t.Helper()
	e := NewExposition()
	e.Reset(Delimited)
	add(e)
	var got, want bytes.Buffer
	if err := e.Write(&got); err != nil {
		t.Fatal(err)
	}
	var family dto.MetricFamily
	if err := prototext.Unmarshal([]byte(message), &family); err != nil {
		t.Fatal(err)
	}
	if _, err := protodelim.MarshalTo(&want, &family); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Bytes(), got.Bytes()); diff != "" {
		t.Errorf("wrote %v, want %v: (-want +got):\n%s", e.Families(t), &family, diff)
	}
}
