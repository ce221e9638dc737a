package metrics

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
)

// samples are the values of all metrics by name and labels; of histograms the number of observations.
func samples(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) != 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				if l.GetValue() != "" {
					name += " " + l.GetName() + "=" + l.GetValue()
				}
			}
			all[name] = valueOf(f.GetType(), m)
		}
	}
	return all
}

func valueOf(kind dto.MetricType, m *dto.Metric) float64 {
	switch kind {
	case dto.MetricType_COUNTER:
		return m.GetCounter().GetValue()
	case dto.MetricType_HISTOGRAM:
		return float64(m.GetHistogram().GetSampleCount())
	}
	return m.GetGauge().GetValue()
}

// What alerts count is there at 0 before the first end; what nobody observes has no series.
func TestApplication(t *testing.T) {
	seen := Observed{}
	a := NewApplication(func() Observed { return seen })
	if diff := cmp.Diff(map[string]float64{"errno_exporter_observe_enabled": 0}, samples(t, a)); diff != "" {
		t.Errorf("nothing is observed (-want +got):\n%s", diff)
	}

	seen = Observed{Enabled: true, Peers: []ObservedPeer{{Name: "api.example.com:443", Targets: []string{"api"}}}}
	want := map[string]float64{
		"errno_exporter_observe_enabled": 1, "errno_exporter_observe_sockets": 0,
		"errno_exporter_observe_events_lost_total": 0, "errno_exporter_observe_dumps_total": 0,
		"errno_exporter_observe_dump_duration_seconds": 0,
		"app_connections state=established target=api": 0, "app_connections state=close_wait target=api": 0,
		"app_connections state=syn_sent target=api": 0, "app_connections state=time_wait target=api": 0,
		"app_connections_opened_total target=api":                                  0,
		"app_connections_ended_total how=reset_received origin=unknown target=api": 0,
		"app_connections_ended_total how=reset_received origin=peer target=api":    0,
		"app_connections_ended_total how=reset_received origin=path target=api":    0,
		"app_connections_ended_total how=reset_sent target=api":                    0,
		"app_connections_ended_total how=fin_received target=api":                  0,
		"app_connections_ended_total how=fin_sent target=api":                      0,
		"app_connections_ended_total how=timed_out target=api":                     0,
		"app_connections_ended_total how=unknown target=api":                       0,
		"app_requests_lost_total lost=unacknowledged target=api":                   0,
		"app_requests_lost_total lost=unanswered target=api":                       0,
		"app_close_wait_oldest_seconds target=api":                                 0, "app_tcp_rtt_seconds target=api": 0,
		"app_tcp_rtt_variance_seconds target=api": 0, "app_tcp_retransmitted_segments_total target=api": 0,
		"app_tcp_window_limited_seconds_total target=api":         0,
		"app_tcp_unacknowledged_bytes target=api":                 0,
		"app_tcp_congestion_window_bytes target=api":              0,
		"app_tcp_congested_connections state=disorder target=api": 0,
		"app_tcp_congested_connections state=cwr target=api":      0,
		"app_tcp_congested_connections state=recovery target=api": 0,
		"app_tcp_congested_connections state=loss target=api":     0,
	}
	if diff := cmp.Diff(want, samples(t, a)); diff != "" {
		t.Errorf("before the first connection (-want +got):\n%s", diff)
	}

	seen.Health = observe.Health{Sockets: 4, EventsLost: 1, Dumps: 9, DumpDuration: 2 * time.Millisecond}
	seen.Peers[0].Connections = observe.Connections{
		States: map[string]int{"established": 3, "close_wait": 1, "last_ack": 2}, Opened: 20,
		Ended: map[observe.Ending]uint64{{How: observe.ResetReceived}: 2, {How: observe.FINSent}: 8,
			{How: observe.ResetReceived, Origin: result.Path}: 3, {How: observe.FINReceived, Origin: result.Peer}: 1},
		Lost:            map[observe.Lost]uint64{observe.Unacknowledged: 2, observe.Unanswered: 1},
		OldestCloseWait: time.Minute, Retransmitted: 9, WindowLimited: 1500 * time.Millisecond,
		TCP: observe.TCP{RTT: 20 * time.Millisecond, RTTVariance: 10 * time.Millisecond, Retransmits: 7,
			Unacknowledged: 300, Window: 14480},
		Congestion: map[string]int{"recovery": 2, "loss": 1},
	}
	end := observe.End{Target: "api.example.com:443", Local: netip.MustParseAddrPort("10.0.0.1:4000"), How: observe.ResetReceived,
		Idle: 350 * time.Second, Age: -1}
	a.Ended(&end)
	end.Age = time.Hour
	a.Ended(&end)
	for name, value := range map[string]float64{
		"errno_exporter_observe_sockets": 4, "errno_exporter_observe_events_lost_total": 1,
		"errno_exporter_observe_dumps_total": 9, "errno_exporter_observe_dump_duration_seconds": 0.002,
		"app_connections state=established target=api": 3, "app_connections state=close_wait target=api": 1,
		"app_connections state=last_ack target=api": 2, "app_connections_opened_total target=api": 20,
		"app_connections_ended_total how=reset_received origin=unknown target=api": 2,
		"app_connections_ended_total how=reset_received origin=path target=api":    3,
		"app_connections_ended_total how=fin_received target=api":                  1,
		"app_connections_ended_total how=fin_sent target=api":                      8,
		"app_requests_lost_total lost=unacknowledged target=api":                   2,
		"app_requests_lost_total lost=unanswered target=api":                       1,
		"app_close_wait_oldest_seconds target=api":                                 60,
		"app_tcp_rtt_seconds target=api":                                           0.02,
		"app_tcp_rtt_variance_seconds target=api":                                  0.01,
		"app_tcp_retransmitted_segments_total target=api":                          9,
		"app_tcp_window_limited_seconds_total target=api":                          1.5,
		"app_tcp_unacknowledged_bytes target=api":                                  300,
		"app_tcp_congestion_window_bytes target=api":                               14480,
		"app_tcp_congested_connections state=recovery target=api":                  2,
		"app_tcp_congested_connections state=loss target=api":                      1,
		"app_connection_idle_seconds how=reset_received target=api":                2,
		"app_connection_age_seconds how=reset_received target=api":                 1, // of the other it is not known
	} {
		want[name] = value
	}
	if diff := cmp.Diff(want, samples(t, a)); diff != "" {
		t.Errorf("after some connections (-want +got):\n%s", diff)
	}

	seen.Peers[0].Targets = []string{"api", "other"}
	count := 0
	for name, value := range samples(t, a) {
		if one := strings.Replace(name, "target=other", "target=api", 1); value != want[one] {
			t.Errorf("two targets of the same host and port: %s is %v, want %v", name, value, want[one])
		}
		count++
	}
	if count != 2*(len(want)-5)+5 { // five are not of a target
		t.Errorf("two targets of the same host and port have %d samples, want %d", count, 2*(len(want)-5)+5)
	}

	a.Forget("api.example.com:443")
	seen.Peers[0].Connections, seen.Peers[0].Targets = observe.Connections{}, []string{"api"}
	for name := range samples(t, a) {
		if strings.Contains(name, "_idle_") || strings.Contains(name, "_age_") {
			t.Errorf("a peer that is forgotten has %s", name)
		}
	}
	seen.Peers = nil
	for name := range samples(t, a) {
		if name[:4] == "app_" {
			t.Errorf("a target that is gone has %s", name)
		}
	}
}
