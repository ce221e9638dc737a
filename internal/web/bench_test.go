package web

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"errno_exporter/internal/bench"
	"errno_exporter/internal/history"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
)

// BenchmarkScrape scrapes 1,000 healthy targets: probe is the probing of one scrape, the others what it costs to expose
// what came of it. cpu-ms/op is the exporter's CPU time for a scrape. A scrape takes 5 s: starts are paced.
//
//	go test ./internal/web -run '^$' -bench Scrape
func BenchmarkScrape(b *testing.B) {
	server := bench.Start(b)
	for _, row := range []struct{ protocol, url string }{{"http", server.HTTP}, {"https1", server.HTTPS1},
		{"https2", server.HTTPS2}} {
		records := history.New(100)
		watching := watch.New(watch.Options{
			Prober: prober.New(prober.Options{UserAgent: "errno_exporter"}), Remember: 1,
			Registry: prometheus.NewRegistry(),
			Sinks:    []watch.Sink{LogTo(slog.New(slog.DiscardHandler), nil), RecordIn(records)},
		})
		watching.Apply(server.Config(b, row.url, 1000))
		states := watching.Scrape(b.Context(), 20*time.Second)
		b.Run(row.protocol+"/probe", func(b *testing.B) {
			reportCPU(b, func() { states = watching.Scrape(b.Context(), 20*time.Second) })
			for _, s := range states {
				if s.Outcome == nil || s.Outcome.Result.Failure != nil {
					b.Fatalf("%s: %+v, want a success", s.Target.Name, s.Outcome)
				}
			}
		})
		for _, format := range []struct {
			name   string
			format expfmt.Format
		}{{"text", expfmt.NewFormat(expfmt.TypeTextPlain)}, {"openmetrics", expfmt.NewFormat(expfmt.TypeOpenMetrics)},
			{"protobuf", expfmt.NewFormat(expfmt.TypeProtoDelim)}} {
			b.Run(row.protocol+"/"+format.name, func(b *testing.B) {
				var answer bytes.Buffer
				samples := metrics.NewExposition()
				reportCPU(b, func() {
					answer.Reset()
					samples.Reset(format.format)
					if err := writeScrape(&answer, format.format, scraped{states: states, samples: samples}); err != nil {
						b.Fatal(err)
					}
				})
				b.ReportMetric(float64(answer.Len())/1e6, "MB/answer")
			})
		}
	}
}

func reportCPU(b *testing.B, f func()) {
	b.ReportAllocs()
	before := bench.CPU(b)
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64((bench.CPU(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}
