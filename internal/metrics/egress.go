package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/internal/egress"
)

// Egress exposes whether egress works, and each reference target; nothing where none is configured.
type Egress struct {
	read         func() egress.State
	egress, each *prometheus.Desc
}

// NewEgress returns the collector of the last check of the reference targets.
func NewEgress(read func() egress.State) *Egress {
	return &Egress{read,
		prometheus.NewDesc("errno_exporter_egress_up",
			"1 if egress works according to the reference targets (control_targets), 0 if not; absent without "+
				"reference targets.", nil, nil),
		prometheus.NewDesc("errno_exporter_control_up",
			"1 if a reference target answers, also with a refusal, 0 if not.", []string{"control", "kind"}, nil),
	}
}

// Describe lists the metrics.
func (e *Egress) Describe(to chan<- *prometheus.Desc) { to <- e.egress; to <- e.each }

// Collect reports the result of the last check.
func (e *Egress) Collect(to chan<- prometheus.Metric) {
	state := e.read()
	for _, r := range state.References {
		to <- prometheus.MustNewConstMetric(e.each, prometheus.GaugeValue, number(r.Up), r.Name, r.Kind)
	}
	if len(state.References) > 0 {
		to <- prometheus.MustNewConstMetric(e.egress, prometheus.GaugeValue, number(state.Up))
	}
}

// SharedFate exposes how many networks losses and resets were seen in within the last minute.
type SharedFate struct {
	read               func() egress.Fate
	networks, affected *prometheus.Desc
}

// NewSharedFate returns the collector of what all networks show.
func NewSharedFate(read func() egress.Fate) *SharedFate {
	return &SharedFate{read,
		prometheus.NewDesc("errno_exporter_egress_networks",
			"Networks (/24 or /48) that were probed within the last minute, those of name servers included.", nil, nil),
		prometheus.NewDesc("errno_exporter_egress_affected_networks",
			"Networks among them that work otherwise, and in which a SYN was retransmitted, a connection was reset or "+
				"timed out, or a name server did not answer.", []string{"sign"}, nil),
	}
}

// Describe lists the metrics.
func (s *SharedFate) Describe(to chan<- *prometheus.Desc) { to <- s.networks; to <- s.affected }

// Collect reports the last minute.
func (s *SharedFate) Collect(to chan<- prometheus.Metric) {
	f := s.read()
	to <- prometheus.MustNewConstMetric(s.networks, prometheus.GaugeValue, float64(f.Networks))
	for sign, name := range egress.Signs {
		to <- prometheus.MustNewConstMetric(s.affected, prometheus.GaugeValue, float64(f.BySign[sign]), name)
	}
}
