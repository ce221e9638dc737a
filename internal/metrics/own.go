package metrics

import (
	"net/url"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Own is what the exporter reports of itself: its load and its scheduling latency.
type Own struct {
	Probes         prometheus.Counter
	NotStarted     prometheus.Counter
	Overloaded     prometheus.Counter
	Unreliable     prometheus.Counter
	Denied         prometheus.Counter
	Panics         prometheus.Counter
	Experiments    prometheus.Counter
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
	Idle       func() int // connections
}

// NewOwn registers the metrics errno_exporter_*.
func NewOwn(registry prometheus.Registerer, read OwnGauges) *Own {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, value func() int) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return float64(value()) }))
	}
	gauge("errno_exporter_targets", "Number of configured targets.", read.Targets)
	gauge("errno_exporter_remembered_targets", "Number of remembered pairs of module and target of /probe.",
		read.Remembered)
	gauge("errno_exporter_probe_slots", "Maximum number of concurrent probes.", read.Slots)
	gauge("errno_exporter_kept_connections", "Number of idle connections in the pool.", read.Idle)
	gauge("errno_exporter_probes_running", "Number of probes in flight.", read.Running)
	delay := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "errno_exporter_scheduler_delay_seconds",
		Help:    "Scheduling latency of the exporter's goroutines while probes ran, in seconds, sampled every 5 ms.",
		Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1},
	})
	registry.MustRegister(delay)
	return &Own{
		Probes: counter("errno_exporter_probes_total", "Number of probes."),
		NotStarted: counter("errno_exporter_probes_not_started_total",
			"Probes that got no slot within half of their time and were not started (reason local.overloaded)."),
		Overloaded: counter("errno_exporter_probes_overloaded_total",
			"Probes during which the exporter was overloaded: its goroutines got a CPU more than 10 ms late."),
		Unreliable: counter("errno_exporter_probes_unreliable_total",
			"Those of them whose durations or failure may be the exporter's own (probe_reliable 0)."),
		Denied: counter("errno_exporter_probes_denied_total",
			"Probes of targets that probe_policy denies, answered with 403."),
		Panics: counter("errno_exporter_probe_panics_total",
			"Probes that ended with a panic, a bug of the exporter (reason unknown); the stack is in the log."),
		Experiments: counter("errno_exporter_control_attempts_total", "Experiments after failures (diagnose)."),
		SlotWait: counter("errno_exporter_probe_slot_wait_seconds_total",
			"Time that probes waited for a slot, or for file descriptors, in seconds."),
		HandshakeWait: counter("errno_exporter_handshake_wait_seconds_total",
			"Time that TLS handshakes waited for the concurrency limit, which is the number of CPUs, in seconds. No "+
				"phase includes it."),
		SchedulerDelay: delay,
	}
}

// NewShard registers which shard of how many this exporter is, and how many configured targets belong to others.
func NewShard(registry prometheus.Registerer, index, count int, others func() int) {
	gauge := func(name, help string, value func() int) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return float64(value()) }))
	}
	gauge("errno_exporter_shard", "Number of this exporter among those that divide the configured targets, from 0 on "+
		"(--shard).", func() int { return index })
	gauge("errno_exporter_shards", "Number of exporters that divide the configured targets; 1 without --shard.",
		func() int { return count })
	gauge("errno_exporter_other_targets", "Number of configured targets that belong to other shards; "+
		"errno_exporter_targets counts this one's.", others)
}

// NewWebInfo registers the URL under which the exporter's pages are, so that alerts and dashboards link to them.
// Without --web.external-url there is no such metric: an exporter does not know under which of its addresses people
// reach it.
func NewWebInfo(registry prometheus.Registerer, external *url.URL) {
	if external == nil {
		return
	}
	shown := *external
	shown.User = nil // who follows a link has credentials of their own
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "errno_exporter_web_info",
		Help:        "1, with the URL under which the exporter's pages are (--web.external-url), without a slash at its end.",
		ConstLabels: prometheus.Labels{"external_url": strings.TrimRight(shown.String(), "/")}})
	info.Set(1)
	registry.MustRegister(info)
}

// NewLog registers how many lines of the log were dropped.
func NewLog(registry prometheus.Registerer, dropped func() uint64) {
	registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "errno_exporter_log_lines_dropped_total",
		Help: "Log lines that were dropped because standard error was not read in time, or its disk was full."},
		func() float64 { return float64(dropped()) }))
}

// NewPanics registers the counter of panics that end no probe.
func NewPanics(registry prometheus.Registerer) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "errno_exporter_panics_total",
		Help: "Recovered panics outside of probes, which are bugs of the exporter; the stack is in the log."})
	registry.MustRegister(c)
	return c
}

// NewResetCapture registers whether it is seen who sends resets.
func NewResetCapture(registry prometheus.Registerer, enabled bool) {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "errno_exporter_reset_capture_enabled",
		Help: "1 if resets are attributed to the server or a middlebox (requires CAP_NET_RAW), 0 if not: origin peer " +
			"may then be a middlebox, and diagnose measures it after failures; the log says what is missing."})
	g.Set(number(enabled))
	registry.MustRegister(g)
}

// NewInbound registers the metrics of the clients' connections, and returns what counts those that were closed to make
// room.
func NewInbound(registry prometheus.Registerer, open func() int) (closed func()) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "errno_exporter_inbound_connections",
		Help: "Open connections of clients."}, func() float64 { return float64(open()) }))
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "errno_exporter_inbound_connections_closed_total",
		Help: "Connections of clients that were closed to admit others at the limit, which follows from the limit of " +
			"file descriptors."})
	registry.MustRegister(c)
	return c.Inc
}
