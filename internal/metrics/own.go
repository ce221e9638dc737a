package metrics

import "github.com/prometheus/client_golang/prometheus"

// Own is what the exporter says of itself: how busy and how late it is.
type Own struct {
	Probes         prometheus.Counter
	NotStarted     prometheus.Counter
	Unreliable     prometheus.Counter
	Denied         prometheus.Counter
	Panics         prometheus.Counter
	Controls       prometheus.Counter
	SlotWait       prometheus.Counter // seconds
	HandshakeWait  prometheus.Counter // seconds
	SchedulerDelay prometheus.Observer
}

// OwnGauges are read at each scrape.
type OwnGauges struct {
	Targets    func() int // configured
	Remembered func() int // others whose totals are kept
	Slots      func() int
	Running    func() int // probes
	Kept       func() int // connections
}

// NewOwn registers the metrics errno_exporter_*.
func NewOwn(registry prometheus.Registerer, read OwnGauges) *Own {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, value func() int) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
	}
	gauge("errno_exporter_targets", "Targets that are configured.", read.Targets)
	gauge("errno_exporter_remembered_targets", "Targets of /probe, by module, whose counters are kept.", read.Remembered)
	gauge("errno_exporter_probe_slots", "Probes that may be under way at once.", read.Slots)
	gauge("errno_exporter_kept_connections", "Connections that are kept idle.", read.Kept)
	gauge("errno_exporter_probes_running", "Probes that are under way.", read.Running)
	delay := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "errno_exporter_scheduler_delay_seconds",
		Help:    "How late the exporter's goroutines got a processor while probes ran, in seconds, sampled every 5 ms.",
		Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1},
	})
	registry.MustRegister(delay)
	return &Own{
		Probes:         counter("errno_exporter_probes_total", "Probes that were made."),
		NotStarted:     counter("errno_exporter_probes_not_started_total", "Probes that found no slot in the first half of their time, and were not made (reason local.overloaded): not their targets' failures."),
		Unreliable:     counter("errno_exporter_probes_unreliable_total", "Probes during which the exporter itself was late (probe_reliable 0)."),
		Denied:         counter("errno_exporter_probes_denied_total", "Probes of targets that probe_policy forbids: refused with 403."),
		Panics:         counter("errno_exporter_probe_panics_total", "Probes that a bug of the exporter ended (reason unknown); the log has the stack."),
		Controls:       counter("errno_exporter_control_attempts_total", "Control attempts that were made after failures (diagnose)."),
		SlotWait:       counter("errno_exporter_probe_slot_wait_seconds_total", "Time that probes waited for a slot, or for file descriptors, in seconds."),
		HandshakeWait:  counter("errno_exporter_handshake_wait_seconds_total", "Time that TLS handshakes waited for their turn to compute, in seconds: as many compute at once as there are processors. It is in no phase."),
		SchedulerDelay: delay,
	}
}

// NewLog registers how many lines of the log were dropped.
func NewLog(registry prometheus.Registerer, dropped func() uint64) {
	registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "errno_exporter_log_lines_dropped_total",
		Help: "Lines of the log that were dropped because nothing took them: a probe never waits for the log."},
		func() float64 { return float64(dropped()) }))
}

// NewPanics registers the counter of panics that end no probe.
func NewPanics(registry prometheus.Registerer) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "errno_exporter_panics_total",
		Help: "Panics of the exporter's own goroutines outside of probes: bugs, each ends what it happened in and nothing else; the log has the stack."})
	registry.MustRegister(c)
	return c
}

// NewResetCapture registers whether it is seen who sends resets.
func NewResetCapture(registry prometheus.Registerer, enabled bool) {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "errno_exporter_reset_capture_enabled",
		Help: "1 where it is seen who sends resets (CAP_NET_RAW), 0 where not: origin peer may then be a box on the way."})
	g.Set(number(enabled))
	registry.MustRegister(g)
}

// NewInbound registers the metrics of the clients' connections, and returns what counts those that were closed to make room.
func NewInbound(registry prometheus.Registerer, open func() int) (closed func()) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "errno_exporter_inbound_connections",
		Help: "Connections of clients that are open."}, func() float64 { return float64(open()) }))
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "errno_exporter_inbound_connections_closed_total",
		Help: "Connections of clients that were closed to make room for others: there were as many as the limit of file descriptors allows."})
	registry.MustRegister(c)
	return c.Inc
}
