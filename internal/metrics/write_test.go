package metrics_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"

	"errno_exporter/config"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/result"
)

// everything is the exposition of two configured targets with all that can be said of them.
func everything(t *testing.T, histograms config.Histograms, format expfmt.Format) *metrics.Exposition {
	t.Helper()
	c, err := config.Parse([]byte(`
modules: {http_2xx: {prober: http}}
targets:
  - {name: 'a "quoted\ name', url: "https://u:p@a.example/?token=x", labels: {team: "one\ntwo"}}
  - {name: b, url: http://b.example/}
`), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	e := metrics.NewExposition()
	e.Reset(format)
	for i, target := range c.Targets {
		totals := state.NewTotals()
		for j, record := range resulttest.Records()[i:] {
			record.Result.TraceID = strings.Repeat("ab", 16*i)
			totals.Add(&record.Result, ulid.ULID{15: byte(j % 2)})
		}
		e.For(target.Name)
		e.Target(target)
		e.Age(1500_000_000)
		e.Reliable(i == 0)
		e.Probe(&resulttest.Records()[i].Result, apiModule())
		e.Totals(totals, metrics.Kept{Histograms: histograms, Resets: []result.Phase{result.Processing}})
	}
	return e
}

// TestFormats: in each format the writer says what prometheus/common's encoder says of the same samples, which are read
// from the protocol buffers. TestProtobuf compares those with literals.
func TestFormats(t *testing.T) {
	for _, row := range []struct {
		name       string
		format     expfmt.Format
		histograms config.Histograms
	}{
		{"text", expfmt.NewFormat(expfmt.TypeTextPlain), config.ClassicHistograms},
		{"OpenMetrics", expfmt.NewFormat(expfmt.TypeOpenMetrics), config.ClassicHistograms},
		{"protobuf", metrics.Delimited, config.AutoHistograms},
		{"protobuf with classic histograms", metrics.Delimited, config.ClassicHistograms},
		{"protobuf with native histograms", metrics.Delimited, config.NativeHistograms},
		{"protobuf as text", expfmt.NewFormat(expfmt.TypeProtoText), config.AutoHistograms},
		{"protobuf as compact text", expfmt.NewFormat(expfmt.TypeProtoCompact), config.AutoHistograms},
	} {
		t.Run(row.name, func(t *testing.T) {
			var want, got bytes.Buffer
			encoder := expfmt.NewEncoder(&want, row.format)
			for _, family := range everything(t, row.histograms, metrics.Delimited).Families(t) {
				if err := encoder.Encode(family); err != nil {
					t.Fatal(err)
				}
			}
			if closer, ok := encoder.(expfmt.Closer); ok {
				if err := closer.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if err := everything(t, row.histograms, row.format).Write(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Errorf("Write (-expfmt +got):\n%s", diff)
			}
		})
	}
}

func TestEverythingLints(t *testing.T) {
	text := everything(t, config.ClassicHistograms, expfmt.NewFormat(expfmt.TypeTextPlain)).Text()
	if problems, err := promlint.New(strings.NewReader(text)).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("Lint() = %v, %v, want nothing", problems, err)
	}
}

func TestSecretsAreNoLabels(t *testing.T) {
	for _, secret := range []string{"u:p", "token=x"} {
		if strings.Contains(everything(t, config.AutoHistograms, expfmt.NewFormat(expfmt.TypeTextPlain)).Text(), secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}
