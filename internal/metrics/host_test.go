package metrics

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"errno_exporter/internal/host"
)

func TestHost(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewHost(new(host.Sampler)))
	families, err := registry.Gather()
	if err != nil || len(families) != 16 {
		t.Fatalf("%d metrics, %v, want 16", len(families), err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) != 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
}
