package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"errno_exporter/internal/host/counters"
)

// What can be read is exposed, the counters of both families as one, and what cannot be read is absent.
func TestCounters(t *testing.T) {
	for _, row := range []struct {
		name  string
		files map[string]string
		want  map[string]float64 // by name, without what is common to all
	}{
		{"all", map[string]string{
			"snmp":    "Ip: OutNoRoutes\nIp: 2\nUdp: RcvbufErrors\nUdp: 4\n",
			"snmp6":   "Ip6OutNoRoutes 3\nUdp6RcvbufErrors 5\n",
			"netstat": "TcpExt: ListenOverflows TCPAbortOnMemory TCPSynRetrans IPReversePathFilter\nTcpExt: 6 7 8 9\n",
			"nf_conntrack": "entries invalid insert_failed drop early_drop\n" +
				"00000001 0000000b 0000000c 0000000d 00000001\n",
			"softnet_stat": "00000000 0000000f 00000000\n",
		}, map[string]float64{"no_route": 5, "udp_receive_buffer_errors": 9, "tcp_accept_queue_overflows": 6,
			"tcp_memory_aborts": 7, "tcp_syn_retransmissions": 8, "reverse_path_filtered": 9, "conntrack_invalid": 11,
			"conntrack_insert_failures": 12, "conntrack_drops": 14, "softnet_dropped": 15}},
		{"without IPv6 and conntrack", map[string]string{"snmp": "Ip: OutNoRoutes\nIp: 2\n"},
			map[string]float64{"no_route": 2}},
		{"nothing", nil, map[string]float64{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.Mkdir(filepath.Join(folder, "stat"), 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range row.files {
				if name == "nf_conntrack" {
					name = "stat/nf_conntrack"
				}
				if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			sampler, _ := counters.NewSampler(folder, nil) // nil where there is nothing
			registry := prometheus.NewPedanticRegistry()
			registry.MustRegister(NewCounters(sampler.Before))
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]float64{}
			for _, f := range families {
				name := strings.TrimSuffix(strings.TrimPrefix(f.GetName(), "errno_exporter_host_"), "_total")
				got[name] = f.GetMetric()[0].GetCounter().GetValue()
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
			problems, err := promlint.NewWithMetricFamilies(families).Lint()
			if err != nil || len(problems) != 0 {
				t.Errorf("promlint: %v, %v", problems, err)
			}
		})
	}
}
