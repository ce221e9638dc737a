package metrics

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
)

// Observed is what is known of the connections of the application, which is all other processes of this network
// namespace, to the targets.
type Observed struct {
	Enabled bool // nothing else is known otherwise
	Health  observe.Health
	Peers   []ObservedPeer
}

// ObservedPeer is the host and port of targets, or an observed network, and the application's connections to it. They
// are counted once, and exposed for each of the targets.
type ObservedPeer struct {
	Name        string
	Targets     []string // the values of the label target
	Connections observe.Connections
}

// Application exposes the application's connections. What alerts need is there from the first scrape, at 0, so that
// increase() counts the first reset.
type Application struct {
	read   func() Observed
	health []observedValue[observe.Health]
	values []observedValue[observe.Connections]

	enabled, connections, ended, lost, congestion *prometheus.Desc
	idle, age                                     *peerHistogram
}

// observedValue is a metric with one value.
type observedValue[T any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*T) float64
}

// The classic buckets of connections. Between each two of an idle age lies at most one of the usual idle timeouts: 2,
// 5, 20, 60, 75, 120, 240, 350, 600 and 1200 s.
var (
	idleBuckets = []float64{1, 4, 10, 30, 70, 100, 200, 300, 400, 900, 3600}
	ageBuckets  = []float64{1, 10, 60, 300, 900, 3600, 14400, 86400}
)

// Native buckets are as fine as those of probes.
const (
	nativeFactor  = 1.1
	nativeBuckets = 160
)

// NewApplication returns the collector of what is observed.
func NewApplication(read func() Observed) *Application {
	return &Application{read: read, health: observerHealth(), values: connectionValues(),
		enabled: prometheus.NewDesc("errno_exporter_observe_enabled", "1 if the application's connections are observed "+
			"(observe), 0 if not; the log says where the kernel refuses.", nil, nil),
		connections: prometheus.NewDesc("app_connections", "Number of the application's connections by TCP state, as of "+
			"the last dump.", []string{"target", "state"}, nil),
		ended: prometheus.NewDesc("app_connections_ended_total", "Connections of the application that ended, by how; "+
			"resets that were received by their origin, which is unknown without CAP_NET_RAW.",
			[]string{"target", "how", "origin"}, nil),
		lost: prometheus.NewDesc("app_requests_lost_total", "Connections of the application that ended with its last data "+
			"unacknowledged, or acknowledged and unanswered.", []string{"target", "lost"}, nil),
		congestion: prometheus.NewDesc("app_tcp_congested_connections", "Number of the application's connections with a "+
			"sign of congestion, by the state of the kernel's congestion control, as of the last dump.",
			[]string{"target", "state"}, nil),
		idle: newPeerHistogram("app_connection_idle_seconds",
			"How long the application's connections had been idle when they ended, in seconds, by how they ended.",
			idleBuckets),
		age: newPeerHistogram("app_connection_age_seconds",
			"How old the application's connections were when they ended, in seconds, by how they ended.", ageBuckets),
	}
}

// observerHealth are the metrics of the observer itself.
func observerHealth() []observedValue[observe.Health] {
	value := func(name, help string, kind prometheus.ValueType, read func(*observe.Health) float64,
	) observedValue[observe.Health] {
		return observedValue[observe.Health]{prometheus.NewDesc("errno_exporter_observe_"+name, help, nil, nil), kind, read}
	}
	return []observedValue[observe.Health]{
		value("sockets", "Number of sockets that are tracked.", prometheus.GaugeValue,
			func(h *observe.Health) float64 { return float64(h.Sockets) }),
		value("events_lost_total", "Ends of connections that the kernel could not report, because the buffer was full.",
			prometheus.CounterValue, func(h *observe.Health) float64 { return float64(h.EventsLost) }),
		value("dumps_total", "Dumps of the kernel's sockets.", prometheus.CounterValue,
			func(h *observe.Health) float64 { return float64(h.Dumps) }),
		value("dump_duration_seconds", "Duration of the last dump of the kernel's sockets, in seconds.",
			prometheus.GaugeValue, func(h *observe.Health) float64 { return h.DumpDuration.Seconds() }),
	}
}

// connectionValues are the metrics of a target's connections without further labels.
func connectionValues() []observedValue[observe.Connections] {
	value := func(name, help string, kind prometheus.ValueType, read func(*observe.Connections) float64,
	) observedValue[observe.Connections] {
		return observedValue[observe.Connections]{prometheus.NewDesc("app_"+name, help, []string{"target"}, nil), kind, read}
	}
	return []observedValue[observe.Connections]{
		value("connections_opened_total", "Connections that the application opened.", prometheus.CounterValue,
			func(c *observe.Connections) float64 { return float64(c.Opened) }),
		value("close_wait_oldest_seconds", "For how long the oldest of the application's connections in CLOSE_WAIT has been "+
			"closed by the peer and not by the application, in seconds; 0 if there is none.", prometheus.GaugeValue,
			func(c *observe.Connections) float64 { return c.OldestCloseWait.Seconds() }),
		value("tcp_rtt_seconds", "Mean round-trip time of the application's connections as the kernel smooths it, in "+
			"seconds.", prometheus.GaugeValue, func(c *observe.Connections) float64 { return c.TCP.RTT.Seconds() }),
		value("tcp_rtt_variance_seconds", "Mean variance of that round-trip time, in seconds.", prometheus.GaugeValue,
			func(c *observe.Connections) float64 { return c.TCP.RTTVariance.Seconds() }),
		value("tcp_retransmitted_segments_total", "Segments that the application's connections have retransmitted.",
			prometheus.CounterValue, func(c *observe.Connections) float64 { return float64(c.Retransmitted) }),
		value("tcp_window_limited_seconds_total", "For how long the application's connections had data to send that the "+
			"target's receive window did not allow: it does not read, in seconds.", prometheus.CounterValue,
			func(c *observe.Connections) float64 { return c.WindowLimited.Seconds() }),
		value("tcp_congestion_window_bytes", "Mean congestion window of the application's connections, in bytes.",
			prometheus.GaugeValue, func(c *observe.Connections) float64 { return float64(c.TCP.Window) }),
		value("tcp_unacknowledged_bytes", "Bytes that the application sent and the target has not acknowledged.",
			prometheus.GaugeValue, func(c *observe.Connections) float64 { return float64(c.TCP.Unacknowledged) }),
	}
}

// Ended counts the end of a connection in the histograms.
func (a *Application) Ended(e *observe.End) {
	a.idle.observe(e, e.Idle)
	if e.Age >= 0 {
		a.age.observe(e, e.Age)
	}
}

// Forget deletes the histograms of a peer that is no longer observed.
func (a *Application) Forget(peer string) {
	a.idle.forget(peer)
	a.age.forget(peer)
}

// Describe lists the metrics.
func (a *Application) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{a.enabled, a.connections, a.ended, a.lost, a.congestion} {
		to <- d
	}
	for i := range a.health {
		to <- a.health[i].desc
	}
	for i := range a.values {
		to <- a.values[i].desc
	}
	to <- a.idle.desc
	to <- a.age.desc
}

// Collect reports what is observed.
func (a *Application) Collect(to chan<- prometheus.Metric) {
	seen := a.read()
	to <- prometheus.MustNewConstMetric(a.enabled, prometheus.GaugeValue, number(seen.Enabled))
	if !seen.Enabled {
		return
	}
	for i := range a.health {
		v := &a.health[i]
		to <- prometheus.MustNewConstMetric(v.desc, v.kind, v.read(&seen.Health))
	}
	for i := range seen.Peers {
		p := &seen.Peers[i]
		for _, target := range p.Targets {
			a.collectTarget(to, target, &p.Connections)
		}
		a.idle.collect(to, p)
		a.age.collect(to, p)
	}
}

// The states and endings that have a sample where there is none of them: alerts need them, or they are the usual ones.
var (
	usualStates  = []string{"established", "close_wait", "syn_sent", "time_wait"}
	usualOrigins = []result.Origin{"", result.Peer, result.Path}
)

// unknownOrigin is the label of a reset that no capture saw.
const unknownOrigin = "unknown"

func (a *Application) collectTarget(to chan<- prometheus.Metric, target string, c *observe.Connections) {
	for i := range a.values {
		v := &a.values[i]
		to <- prometheus.MustNewConstMetric(v.desc, v.kind, v.read(c), target)
	}
	states := map[string]int{}
	for _, state := range usualStates {
		states[state] = 0
	}
	for state, n := range c.States {
		states[state] = n
	}
	for state, n := range states {
		to <- prometheus.MustNewConstMetric(a.connections, prometheus.GaugeValue, float64(n), target, state)
	}
	for _, state := range observe.CongestionStates() {
		to <- prometheus.MustNewConstMetric(a.congestion, prometheus.GaugeValue, float64(c.Congestion[state]), target, state)
	}
	for ending, n := range endings(c.Ended) {
		to <- prometheus.MustNewConstMetric(a.ended, prometheus.CounterValue, float64(n), target, ending[0], ending[1])
	}
	for _, lost := range []observe.Lost{observe.Unacknowledged, observe.Unanswered} {
		to <- prometheus.MustNewConstMetric(a.lost, prometheus.CounterValue, float64(c.Lost[lost]), target, string(lost))
	}
}

// endings are the counts of ends by the labels how and origin. Only a reset that was received has an origin.
func endings(ended map[observe.Ending]uint64) map[[2]string]uint64 {
	counts := map[[2]string]uint64{}
	count := func(e observe.Ending, n uint64) {
		origin := ""
		if e.How == observe.ResetReceived {
			origin = cmp.Or(string(e.Origin), unknownOrigin)
		}
		counts[[2]string{string(e.How), origin}] += n
	}
	for _, how := range observe.Hows() {
		count(observe.Ending{How: how}, 0)
	}
	for _, origin := range usualOrigins {
		count(observe.Ending{How: observe.ResetReceived, Origin: origin}, 0)
	}
	for e, n := range ended {
		count(e, n)
	}
	return counts
}
