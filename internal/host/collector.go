package host

import "github.com/prometheus/client_golang/prometheus"

// value is one metric of a record.
type value struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(*Record) float64
}

func gauge(name, help string, of func(*Record) float64) value {
	return value{prometheus.NewDesc("errno_exporter_host_"+name, help, nil, nil), prometheus.GaugeValue, of}
}

func counter(name, help string, of func(*Record) float64) value {
	return value{prometheus.NewDesc("errno_exporter_host_"+name, help, nil, nil), prometheus.CounterValue, of}
}

// Collector exposes a sampler's records as errno_exporter_host_*.
type Collector struct {
	sampler *Sampler
	values  []value
}

// NewCollector returns the collector of a sampler.
func NewCollector(s *Sampler) *Collector {
	return &Collector{s, []value{
		gauge("descriptors", "File descriptors that the exporter has open.", func(r *Record) float64 { return float64(r.Descriptors) }),
		gauge("descriptors_limit", "File descriptors that it may have.", func(r *Record) float64 { return float64(r.DescriptorLimit) }),
		gauge("ephemeral_ports", "Local ports for outgoing connections (ip_local_port_range).", func(r *Record) float64 { return float64(r.Ports) }),
		gauge("ephemeral_ports_used_most", "How many of them are used towards the destination that uses most.", func(r *Record) float64 { return float64(r.PortsUsed) }),
		gauge("time_wait_sockets", "Sockets of the network namespace in TIME_WAIT.", func(r *Record) float64 { return float64(r.TimeWait) }),
		gauge("conntrack_entries", "Entries of the connection tracker; 0 where there is none to be seen.", func(r *Record) float64 { return float64(r.Conntrack) }),
		gauge("conntrack_limit", "Entries that it may have.", func(r *Record) float64 { return float64(r.ConntrackLimit) }),
		counter("tcp_resets_received_total", "Established connections of the network namespace that a RST ended (EstabResets).", func(r *Record) float64 { return float64(r.ResetsReceived) }),
		counter("tcp_resets_sent_total", "RSTs that the network namespace sent (OutRsts).", func(r *Record) float64 { return float64(r.ResetsSent) }),
		counter("tcp_retransmitted_segments_total", "Segments that the network namespace sent again (RetransSegs).", func(r *Record) float64 { return float64(r.Retransmitted) }),
		counter("cpu_throttled_seconds_total", "Time for which the container's processor quota stopped it.", func(r *Record) float64 { return r.Throttled.Seconds() }),
		counter("memory_limit_events_total", "Times the container met its memory limit.", func(r *Record) float64 { return float64(r.MemoryHigh) }),
		counter("oom_kills_total", "Processes of the container that were killed for memory.", func(r *Record) float64 { return float64(r.OOMKills) }),
		gauge("cpu_pressure_ratio", "Share of the last ten seconds in which some task waited for a processor.", func(r *Record) float64 { return r.CPUPressure }),
		gauge("memory_pressure_ratio", "Share of the last ten seconds in which some task waited for memory.", func(r *Record) float64 { return r.MemoryPressure }),
		counter("scheduler_delay_seconds_total", "Time for which the exporter was ready to run and waited for a processor.", func(r *Record) float64 { return r.SchedulerDelay.Seconds() }),
	}}
}

// Describe says which metrics there are.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, v := range c.values {
		to <- v.desc
	}
}

// Collect samples.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	r := c.sampler.Sample()
	for _, v := range c.values {
		to <- prometheus.MustNewConstMetric(v.desc, v.kind, v.of(&r))
	}
}
