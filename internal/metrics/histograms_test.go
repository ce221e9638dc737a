package metrics

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"

	"errno_exporter/config"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// TestHistograms: rows are the choices; text and protobuf are the phases whose histograms the formats have, in protocol
// buffers with their kinds of buckets. The target has connected twice, sent the request twice, had one response, and
// waited for another until its deadline.
func TestHistograms(t *testing.T) {
	span := func(p result.Phase, failed bool) result.Span {
		return result.Span{Phase: p, Duration: 20 * time.Millisecond, Failed: failed}
	}
	stalled := &result.Failure{Phase: result.Processing, Reason: result.HTTPResponseTimedOut, Origin: result.Self}
	totals := state.NewTotals()
	totals.Add(probed(attempt(nil, span(result.Connect, false), span(result.Request, false),
		span(result.Processing, false), span(result.Transfer, false), span(result.Validate, false))), ulid.Zero)
	totals.Add(probed(attempt(stalled, span(result.Connect, false), span(result.Request, false),
		span(result.Processing, true))), ulid.Zero)
	const connect, request, processing, stall, transfer = "connect success", "request success", "processing success",
		"processing failure", "transfer success"
	for _, row := range []struct {
		choice   config.Histograms
		text     []string
		protobuf []string
	}{
		{"", []string{connect, processing}, []string{connect + " classic native", processing + " classic native",
			stall + " native", transfer + " native"}},
		{config.AutoHistograms, []string{connect, processing}, []string{connect + " classic native",
			processing + " classic native", stall + " native", transfer + " native"}},
		{config.NativeHistograms, nil, []string{connect + " native", request + " native", processing + " native",
			stall + " native", transfer + " native"}},
		{config.ClassicHistograms, []string{connect, request, processing, stall, transfer},
			[]string{connect + " classic", request + " classic", processing + " classic", stall + " classic",
				transfer + " classic"}},
		{config.NoHistograms, nil, nil},
	} {
		t.Run("histograms="+string(row.choice), func(t *testing.T) {
			e := NewExposition()
			e.Totals(totals, Kept{Histograms: row.choice})
			var text, protobuf []string
			for line := range strings.Lines(e.Text()) {
				if labels, ok := strings.CutPrefix(line, `probe_phase_duration_seconds_count{phase="`); ok {
					labels, _, _ = strings.Cut(labels, `"}`)
					text = append(text, strings.Replace(labels, `",result="`, " ", 1))
				}
			}
			headed := strings.Contains(e.Text(), "# TYPE probe_phase_duration_seconds histogram\n")
			e.Reset(Delimited)
			e.Totals(totals, Kept{Histograms: row.choice})
			for _, family := range e.Families(t) {
				for _, m := range family.Metric {
					h := m.Histogram
					if h == nil {
						continue
					}
					shown := m.Label[0].GetValue() + " " + m.Label[1].GetValue()
					if len(h.Bucket) > 0 {
						shown += " classic"
					}
					if h.Schema != nil && len(h.PositiveSpan) > 0 {
						shown += " native"
					}
					protobuf = append(protobuf, shown)
				}
			}
			if diff := cmp.Diff(row.text, text) + cmp.Diff(row.protobuf, protobuf); diff != "" {
				t.Errorf("text, protobuf (-want +got):\n%s", diff)
			}
			if headed != (len(row.text) > 0) {
				t.Errorf("the text has the histogram's TYPE: %v, want it where there is one", headed)
			}
		})
	}
}

// A native histogram has the exemplars that are in classic buckets otherwise.
func TestExemplarsOfNativeHistograms(t *testing.T) {
	trace := strings.Repeat("ab", 16)
	r := probed(attempt(nil, result.Span{Phase: result.Processing, Duration: time.Second}))
	r.TraceID = trace
	totals := state.NewTotals()
	totals.Add(r, ulid.ULID{15: 1})
	for _, choice := range []config.Histograms{config.AutoHistograms, config.NativeHistograms, config.ClassicHistograms} {
		e := NewExposition()
		e.Reset(expfmt.NewFormat(expfmt.TypeProtoCompact))
		e.Totals(totals, Kept{Histograms: choice})
		var b bytes.Buffer
		if err := e.Write(&b); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), trace) || !strings.Contains(b.String(), ulid.ULID{15: 1}.String()) {
			t.Errorf("histograms=%s: no exemplar with trace ID and record in %s", choice, b.String())
		}
	}
}

func TestResetPhases(t *testing.T) {
	const processing, transfer = result.Processing, result.Transfer
	proxy := func(*http.Request) (*url.URL, error) { return nil, nil }
	for _, row := range []struct {
		name, url string
		module    module.Module
		want      []result.Phase
	}{
		{"over HTTP", "http://a/", module.Module{}, []result.Phase{processing, transfer}},
		{"over HTTPS", "https://a/", module.Module{}, []result.Phase{result.TLS, processing, transfer}},
		{"with a body", "http://a/", module.Module{Body: []byte("x")},
			[]result.Phase{result.Request, processing, transfer}},
		{"through a proxy", "https://a/", module.Module{Proxy: proxy},
			[]result.Phase{result.Proxy, result.TLS, processing, transfer}},
		{"over HTTP/3", "https://a/", module.Module{EnableHTTP3: true}, nil},
	} {
		target, err := url.Parse(row.url)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row.want, ResetPhases(&row.module, target)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}
