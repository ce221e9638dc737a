// Package cost puts whole programs side by side: the exporter, a bare server that does the same network work, one that
// does it without net/http's client, and blackbox_exporter. Each is a process of its own, asked over HTTP as Prometheus
// asks.
//
//	go test ./test/cost -run '^$' -bench Cost -benchtime 1x
package cost

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"errno_exporter/internal/bench"
	"errno_exporter/test/build"
)

var exporter string

func TestMain(m *testing.M) {
	if mode := os.Getenv(bareMode); mode != "" {
		serveBare(mode, os.Args[1])
		return
	}
	if bench.ServeIfAsked() {
		return
	}
	build.Exporter(m, "../..", &exporter)
}

// rounds are how often all programs are measured in turn, so that whatever else the machine does meets them alike.
// Their medians are reported.
const (
	rounds         = 5
	probesOfARound = 1500
)

// BenchmarkCost reports of each program, in a fresh process, what a probe takes: CPU time, objects and bytes allocated,
// and the most memory.
func BenchmarkCost(b *testing.B) {
	server := bench.Start(b)
	all := programs(b, &server)
	for _, work := range []struct{ name, url string }{{"http", server.HTTP}, {"https1", server.HTTPS1},
		{"https2", server.HTTPS2}, {"http3", server.HTTP3}} {
		for _, concurrency := range []int{1, 50, 500} {
			b.Run(fmt.Sprintf("%s/%d", work.name, concurrency), func(b *testing.B) {
				var together []*measured
				for _, p := range all {
					if p.skip == nil || !p.skip(work.name) {
						if work.name == "http3" {
							p.module = moduleHTTP3
						}
						together = append(together, &measured{running: run(b, &p), name: p.name})
					}
				}
				for _, m := range together {
					m.ask(b, work.url, concurrency, 500) // warm
				}
				for b.Loop() {
					for range rounds {
						for _, m := range together {
							m.round(b, work.url, concurrency)
						}
					}
				}
				for _, m := range together {
					m.report(b)
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// measured is a program and what was measured of it, by round.
type measured struct {
	*running
	name                string
	cpu, objects, bytes []float64 // microseconds, of a probe
	slept               []float64 // times, of threads
}

func (m *measured) round(b *testing.B, url string, concurrency int) {
	b.Helper()
	objects, bytes := m.counter(b, "go_memstats_mallocs_total"), m.counter(b, "go_memstats_alloc_bytes_total")
	cpu, sleeps := m.cpuTime(b), m.sleeps(b) // being asked for counters takes time, too
	m.ask(b, url, concurrency, probesOfARound)
	m.cpu = append(m.cpu, float64((m.cpuTime(b)-cpu).Nanoseconds())/1000/probesOfARound)
	m.slept = append(m.slept, (m.sleeps(b)-sleeps)/probesOfARound)
	m.objects = append(m.objects, (m.counter(b, "go_memstats_mallocs_total")-objects)/probesOfARound)
	m.bytes = append(m.bytes, (m.counter(b, "go_memstats_alloc_bytes_total")-bytes)/probesOfARound)
}

func (m *measured) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(median(m.cpu), m.name+"-cpu-µs/probe")
	b.ReportMetric(median(m.slept), m.name+"-sleeps/probe")
	b.ReportMetric(median(m.objects), m.name+"-objects/probe")
	b.ReportMetric(median(m.bytes)/1024, m.name+"-KiB/probe")
	b.ReportMetric(m.memory(b, "VmHWM")/1024, m.name+"-MiB")
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// BenchmarkWaiting reports the memory of 1,000 probes that wait at once.
func BenchmarkWaiting(b *testing.B) {
	server := bench.Start(b)
	for _, work := range []struct{ name, url string }{{"http", server.HTTP}, {"https1", server.HTTPS1},
		{"https2", server.HTTPS2}, {"http3", server.HTTP3}} {
		for _, p := range programs(b, &server) {
			if p.skip != nil && p.skip(work.name) {
				continue
			}
			if work.name == "http3" {
				p.module = moduleHTTP3
			}
			b.Run(work.name+"/"+p.name, func(b *testing.B) {
				r := run(b, &p)
				for b.Loop() {
					r.ask(b, work.url+bench.Slow, 1000, 1000)
				}
				b.ReportMetric(r.memory(b, "VmHWM")/1024, "MiB")
			})
		}
	}
}

// BenchmarkManyTargets reports the memory of the exporter after one probe of each of 10,000 targets, and after two, ten
// and twenty: of the process, and what its heap grows to before garbage is collected, which is twice what it holds.
func BenchmarkManyTargets(b *testing.B) {
	server := bench.Start(b)
	p := programs(b, &server)[0]
	r := run(b, &p)
	for b.Loop() {
		for round := range 20 {
			r.askEach(b, 50, 10_000, func(i int) string { return fmt.Sprintf("%s/?n=%d", server.HTTP, i) })
			switch n := round + 1; n {
			case 1, 2, 10, 20:
				b.ReportMetric(r.memory(b, "VmRSS")/1024, fmt.Sprintf("MiB-after-%d", n))
				b.ReportMetric(r.counter(b, "go_memstats_next_gc_bytes")/(1<<20), fmt.Sprintf("heap-MiB-after-%d", n))
			}
		}
	}
	b.ReportMetric(0, "ns/op")
}
