package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/internal/host"
)

// hostValue is one metric of a host's record.
type hostValue struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(*host.Record) float64
}

func hostGauge(name, help string, of func(*host.Record) float64) hostValue {
	return hostValue{prometheus.NewDesc("errno_exporter_host_"+name, help, nil, nil), prometheus.GaugeValue, of}
}

func hostCounter(name, help string, of func(*host.Record) float64) hostValue {
	return hostValue{prometheus.NewDesc("errno_exporter_host_"+name, help, nil, nil), prometheus.CounterValue, of}
}

// Host exposes a sampler's records as errno_exporter_host_*.
type Host struct {
	sampler *host.Sampler
	values  []hostValue
}

// NewHost returns the collector of a sampler.
func NewHost(s *host.Sampler) *Host {
	return &Host{s, []hostValue{
		hostGauge("descriptors", "File descriptors that the exporter has open.",
			func(r *host.Record) float64 { return float64(r.Descriptors) }),
		hostGauge("descriptors_limit", "File descriptors that it may have.",
			func(r *host.Record) float64 { return float64(r.DescriptorLimit) }),
		hostGauge("ephemeral_ports", "Local ports for outgoing connections (ip_local_port_range).",
			func(r *host.Record) float64 { return float64(r.Ports) }),
		hostGauge("ephemeral_ports_used_most", "How many of them are used towards the destination that uses most.",
			func(r *host.Record) float64 { return float64(r.PortsUsed) }),
		hostGauge("time_wait_sockets", "Sockets of the network namespace in TIME_WAIT.",
			func(r *host.Record) float64 { return float64(r.TimeWait) }),
		hostGauge("conntrack_entries", "Entries of the connection tracker; 0 where there is none to be seen.",
			func(r *host.Record) float64 { return float64(r.Conntrack) }),
		hostGauge("conntrack_limit", "Entries that it may have.",
			func(r *host.Record) float64 { return float64(r.ConntrackLimit) }),
		hostCounter("tcp_resets_received_total", "Established connections of the network namespace that a RST ended "+
			"(EstabResets).", func(r *host.Record) float64 { return float64(r.ResetsReceived) }),
		hostCounter("tcp_resets_sent_total", "RSTs that the network namespace sent (OutRsts).",
			func(r *host.Record) float64 { return float64(r.ResetsSent) }),
		hostCounter("tcp_retransmitted_segments_total", "Segments that the network namespace sent again (RetransSegs).",
			func(r *host.Record) float64 { return float64(r.Retransmitted) }),
		hostCounter("cpu_throttled_seconds_total",
			"Time that the container was throttled by its CPU quota, in seconds.",
			func(r *host.Record) float64 { return r.Throttled.Seconds() }),
		hostCounter("memory_limit_events_total", "Times the container met its memory limit.",
			func(r *host.Record) float64 { return float64(r.MemoryHigh) }),
		hostCounter("oom_kills_total", "Processes of the container that were killed for memory.",
			func(r *host.Record) float64 { return float64(r.OOMKills) }),
		hostGauge("cpu_pressure_ratio", "Share of the last ten seconds in which some task waited for a CPU.",
			func(r *host.Record) float64 { return r.CPUPressure }),
		hostGauge("memory_pressure_ratio", "Share of the last ten seconds in which some task waited for memory.",
			func(r *host.Record) float64 { return r.MemoryPressure }),
		hostCounter("scheduler_delay_seconds_total",
			"Time that the exporter was ready to run and waited for a CPU, in seconds.",
			func(r *host.Record) float64 { return r.SchedulerDelay.Seconds() }),
	}}
}

// Describe lists the metrics.
func (c *Host) Describe(to chan<- *prometheus.Desc) {
	for _, v := range c.values {
		to <- v.desc
	}
}

// Collect samples.
func (c *Host) Collect(to chan<- prometheus.Metric) {
	r := c.sampler.Last()
	for _, v := range c.values {
		to <- prometheus.MustNewConstMetric(v.desc, v.kind, v.of(&r))
	}
}
