package accuracy

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/bench"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// keyLog is a key log of connections that are made at once.
type keyLog struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (k *keyLog) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.Write(p)
}

// take returns what was logged, and forgets it.
func (k *keyLog) take() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	taken := bytes.Clone(k.text.Bytes())
	k.text.Reset()
	return taken
}

// load3 is a situation, and how probes over HTTP/3 are started in it.
type load3 struct {
	situation
	n        int
	every    time.Duration
	inFlight int
}

// The phases of HTTP/3 as reported against the same connections' datagrams, which the key log decrypts: with an API
// 50 ms away, at rest and with both cores busy, and with 500 probes in flight.
func TestAccuracyHTTP3(t *testing.T) {
	if testing.Short() {
		t.Skip("takes its time")
	}
	wire, err := Listen()
	if err != nil {
		t.Skipf("a packet capture needs root (CAP_NET_RAW): %v", err)
	}
	defer wire.Close()
	t.Setenv("QUIC_GO_DISABLE_GSO", "true") // the capture would have several datagrams in one
	server := bench.Start(t)
	loads := []load3{{situation{"at rest", 0, 1}, 400, 10 * time.Millisecond, 1000}}
	if *full {
		loads = append(loads, load3{situation{"both cores 80 % busy", 80, 2}, 400, 10 * time.Millisecond, 1000},
			load3{situation{"both cores fully busy", 100, 0}, 400, 10 * time.Millisecond, 1000},
			load3{situation{"500 in flight", 0, 0}, 1500, 100 * time.Microsecond, 500})
	}
	table := "| situation | connect | tls | processing | transfer | unreliable |\n|---|---|---|---|---|---|\n"
	for _, s := range loads {
		t.Run(s.name, func(t *testing.T) {
			if s.load > 0 {
				load(t, s.load)
			}
			all, trusted := s.probe(t, wire, &server)
			table += fmt.Sprintf("| %s |%s %.1f %% |\n", s.name, all.excess.cells(measured),
				100*float64(all.unreliable)/float64(s.n))
			if problems := all.problems(s.n, measured); len(problems) > 0 {
				t.Errorf("%s", strings.Join(problems, "; "))
			}
			if s.inFlight < s.n { // more than the CPUs can do: what is not marked is held, as in TestOverload
				s.bar, all = overloadBar, trusted
			}
			holdBars(t, &s.situation, "HTTP/3", &all)
		})
	}
	t.Logf("excess over the wire, p50 / p99 in ms\n%s", table)
	if *update {
		writeTable(t, "http3", table)
	}
}

// probe compares all results, and those that are not marked unreliable.
func (s *load3) probe(t *testing.T, wire *Wire, server *bench.Server) (all, trusted comparison) {
	t.Helper()
	u, err := url.Parse(server.HTTP3)
	if err != nil {
		t.Fatal(err)
	}
	w := watch.New(watch.Options{Prober: prober.New(prober.Options{UserAgent: "errno_exporter"}), Remember: 10,
		Registry: prometheus.NewRegistry()})
	defer w.Close()
	w.Apply(&config.Config{Policy: config.Policy{MaxConcurrent: s.inFlight}})
	keys := new(keyLog)
	m := module.New("accuracy")
	m.EnableHTTP2, m.EnableHTTP3, m.Timeout = false, true, 20*time.Second
	m.TLS = &tls.Config{RootCAs: server.Roots, NextProtos: []string{"h3"}, KeyLogWriter: keys}
	wire.Take()
	reports := ours(t, w, m, server.HTTP3+bench.Delayed, s.n, s.every)
	truths := QUICTruths(settled(t, wire), netip.MustParseAddrPort(u.Host), keys.take())
	return compare(reports, truths, true), compare(reports, truths, false)
}
