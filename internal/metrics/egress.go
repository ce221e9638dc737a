package metrics

import "github.com/prometheus/client_golang/prometheus"

// Control is what became of a control target.
type Control struct {
	Name, Kind string
	Up         bool
}

// Egress exposes whether egress works, and each reference target; nothing where none is configured.
type Egress struct {
	read         func() (up bool, controls []Control)
	egress, each *prometheus.Desc
}

// NewEgress returns the collector of what read says.
func NewEgress(read func() (up bool, controls []Control)) *Egress {
	return &Egress{read,
		prometheus.NewDesc("errno_exporter_egress_up", "1 if egress works according to the reference targets (control_targets), 0 if not; absent without reference targets.", nil, nil),
		prometheus.NewDesc("errno_exporter_control_up", "1 where a control target answers, be it with a refusal.", []string{"control", "kind"}, nil),
	}
}

// Describe says which metrics there are.
func (e *Egress) Describe(to chan<- *prometheus.Desc) { to <- e.egress; to <- e.each }

// Collect tells what was last found.
func (e *Egress) Collect(to chan<- prometheus.Metric) {
	up, controls := e.read()
	for _, c := range controls {
		to <- prometheus.MustNewConstMetric(e.each, prometheus.GaugeValue, number(c.Up), c.Name, c.Kind)
	}
	if len(controls) > 0 {
		to <- prometheus.MustNewConstMetric(e.egress, prometheus.GaugeValue, number(up))
	}
}
