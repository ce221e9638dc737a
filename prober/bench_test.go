package prober_test

import (
	"context"
	"testing"
	"time"

	"errno_exporter/internal/bench"
	"errno_exporter/internal/reset"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// The benchmarks put a probe beside a bare client that does the same network work: a fresh TCP connection, a full TLS
// handshake with a verified certificate, one GET, the body read. The server is a process of its own, so that cpu-ns/op
// is the client's alone.
//
//	go test ./prober -run '^$' -bench . -benchtime 3s

func BenchmarkProbe(b *testing.B) {
	server := bench.Start(b)
	for _, row := range []struct{ protocol, url string }{{"http", server.HTTP}, {"https1", server.HTTPS1},
		{"https2", server.HTTPS2}} {
		module := module.New("bench")
		module.TLS.RootCAs = server.Roots
		module.Timeout = 10 * time.Second
		target, err := prober.ParseTarget(row.url)
		if err != nil {
			b.Fatal(err)
		}
		p := prober.New(prober.Options{UserAgent: "errno_exporter"})
		b.Run(row.protocol+"/probe", func(b *testing.B) {
			measureCPU(b, func() error {
				r := p.Probe(context.Background(), target, module)
				if r.Failure != nil {
					return r.Failure.Err
				}
				return nil
			})
		})
		if capture, err := reset.Open(nil); err == nil { // where we may
			captured := prober.New(prober.Options{UserAgent: "errno_exporter", Resets: capture})
			b.Run(row.protocol+"/captured", func(b *testing.B) {
				measureCPU(b, func() error {
					r := captured.Probe(context.Background(), target, module)
					if r.Failure != nil {
						return r.Failure.Err
					}
					return nil
				})
			})
			capture.Close()
		}
		bare := bench.NewBare(module.TLS) // which has no recorder, no evidence, and here no deadline
		b.Run(row.protocol+"/bare", func(b *testing.B) {
			measureCPU(b, func() error { return bare.Get(context.Background(), target.URL) })
		})
	}
}

// BenchmarkHTTP3 puts a probe over HTTP/3 beside quic-go's client alone.
func BenchmarkHTTP3(b *testing.B) {
	server := bench.Start(b)
	module := module.New("bench")
	module.TLS.RootCAs, module.Timeout = server.Roots, 10*time.Second
	module.EnableHTTP2, module.EnableHTTP3, module.TLS.NextProtos = false, true, []string{"h3"}
	target, err := prober.ParseTarget(server.HTTP3)
	if err != nil {
		b.Fatal(err)
	}
	p, bare := prober.New(prober.Options{UserAgent: "errno_exporter"}), bench.NewBareHTTP3(module.TLS)
	b.Run("probe", func(b *testing.B) {
		measureCPU(b, func() error {
			if r := p.Probe(context.Background(), target, module); r.Failure != nil {
				return r.Failure.Err
			}
			return nil
		})
	})
	b.Run("bare", func(b *testing.B) {
		measureCPU(b, func() error { return bare.Get(context.Background(), target.URL) })
	})
}

// measureCPU runs f b.N times and reports the process's CPU time of each.
func measureCPU(b *testing.B, f func() error) {
	b.Helper()
	b.ReportAllocs()
	before := bench.CPU(b)
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((bench.CPU(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}
