package accuracy

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/bench"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Bars of what is not marked unreliable, in ms at the 99th percentile.
const overloadBar = 2

// The phases as reported while the exporter's own probes use up the CPUs, against the same connections' packets.
func TestOverload(t *testing.T) {
	if !*full {
		t.Skip("skipped: it keeps the machine busy; make accuracy runs it")
	}
	wire, err := Listen()
	if err != nil {
		t.Skipf("a packet capture needs root (CAP_NET_RAW): %v", err)
	}
	defer wire.Close()
	server := bench.Start(t)
	table := "| situation | work | connect | tls | processing | transfer | tls, not marked | processing, not marked " +
		"| unreliable |\n|---|---|---|---|---|---|---|---|---|\n"
	for _, s := range []struct {
		name     string
		n        int
		every    time.Duration
		inFlight int
	}{
		{"1,000 per second", 3000, time.Millisecond, 1000},
		{"500 in flight", 3000, 100 * time.Microsecond, 500},
	} {
		for _, work := range []struct {
			name, url string
			shape     Shape
			version   uint16 // of TLS at most; 0 for any
		}{
			{"HTTP", server.HTTP, Shape{}, 0},
			{"HTTPS, HTTP/1.1", server.HTTPS1, TLS13, 0},
			{"HTTPS, HTTP/2", server.HTTPS2, Shape{Flights: 2, Answers: 1, HTTP2: true}, 0},
			{"HTTPS, HTTP/1.1, HelloRetryRequest", server.HTTPSRetry, Retry, 0},
			{"HTTPS, HTTP/1.1, TLS 1.2", server.HTTPS1, TLS12, tls.VersionTLS12},
		} {
			t.Run(s.name+", "+work.name, func(t *testing.T) {
				w := watch.New(watch.Options{Prober: prober.New(prober.Options{UserAgent: "errno_exporter"}),
					Remember: 10, Registry: prometheus.NewRegistry()})
				defer w.Close()
				m := module.New("accuracy")
				m.TLS.RootCAs, m.TLS.MaxVersion, m.Timeout = server.Roots, work.version, 20*time.Second
				w.Apply(&config.Config{Policy: config.Policy{MaxConcurrent: s.inFlight}})
				wire.Take()
				reports := ours(t, w, m, work.url+bench.Delayed, s.n, s.every)
				truths := Truths(of(work.url, settled(t, wire)), work.shape)
				all, trusted := compare(reports, truths, true), compare(reports, truths, false)
				table += fmt.Sprintf("| %s | %s |%s%s %.1f %% |\n", s.name, work.name, all.excess.cells(measured),
					trusted.excess.cells([]result.Phase{result.TLS, result.Processing}),
					100*float64(all.unreliable)/float64(s.n))
				phases := measured
				if work.shape.Flights == 0 {
					phases = []result.Phase{result.Connect, result.Processing, result.Transfer}
				}
				if problems := all.problems(s.n, phases); len(problems) > 0 {
					t.Errorf("%s", strings.Join(problems, "; "))
				}
				for _, phase := range phases {
					if got := trusted.excess.at(phase, 0.99); got > overloadBar {
						t.Errorf("%s is off by %.2f ms at the percentile 99, want at most %d", phase, got, overloadBar)
					}
				}
			})
		}
	}
	t.Logf("excess over the wire, p50 / p99 in ms\n%s", table)
	if *update {
		writeTable(t, "overload", table)
	}
}
