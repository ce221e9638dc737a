package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"errno_exporter/config"
	"errno_exporter/internal/bench"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

func TestMain(m *testing.M) {
	if !bench.ServeIfAsked() {
		goleak.VerifyTestMain(m)
	}
}

// tested is a Watch under test, with what it was told of probes and what it says of itself.
type tested struct {
	*Watch
	registry *prometheus.Registry
	ended    chan *result.Result
}

func newTested(t testing.TB, c *config.Config) *tested {
	t.Helper()
	b := &tested{registry: prometheus.NewPedanticRegistry(), ended: make(chan *result.Result, 5000)}
	b.Watch = New(Options{
		Prober: prober.New(prober.Options{UserAgent: "errno_exporter/test"}), Remember: 10, Registry: b.registry,
		Sinks: []Sink{func(p *Published) { b.ended <- p.Result }}, // without experiments, once a probe
	})
	b.Apply(c)
	return b
}

// own is the value of one of the exporter's own counters or gauges.
func (b *tested) own(t testing.TB, name string) float64 {
	t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		if f.GetType() == dto.MetricType_COUNTER {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
		return f.GetMetric()[0].GetGauge().GetValue()
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// parse is a configuration of a test: the module api, which trusts the lab's certificates, and what the text adds.
func parse(t testing.TB, text string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte("modules:\n"+faultlab.Module("api", 30*time.Second, faultlab.RootsPEM())+text),
		"test", ".")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// item is a line of targets.
func item(name, url string, more ...string) string {
	return fmt.Sprintf("  - {name: %s, url: %q, module: api%s}\n", name, url,
		strings.Join(append([]string{""}, more...), ", "))
}
