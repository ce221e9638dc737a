package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/internal/host/counters"
)

// counterSum is one metric: a sum of the kernel's counters.
type counterSum struct {
	desc  *prometheus.Desc
	names []string
}

// Counters exposes those of the kernel's counters that are worth an alert, as errno_exporter_host_*. What cannot be
// read is absent.
type Counters struct {
	sample func() *counters.Sample
	sums   []counterSum
}

// NewCounters returns the collector of the samples that a function returns, which may be nil.
func NewCounters(sample func() *counters.Sample) *Counters {
	sum := func(name, help string, names ...string) counterSum {
		return counterSum{prometheus.NewDesc("errno_exporter_host_"+name+"_total", help, nil, nil), names}
	}
	return &Counters{sample, []counterSum{
		sum("conntrack_drops", "Packets that the connection tracker dropped, and connections that it forgot, because its "+
			"table was full (drop, early_drop).", "conntrack drop", "conntrack early_drop"),
		sum("conntrack_insert_failures", "Packets dropped because two connections were given the same address and port by "+
			"NAT (insert_failed).", "conntrack insert_failed"),
		sum("conntrack_invalid", "Packets that belong to no connection that the tracker knows; NAT leaves them as they are "+
			"(invalid).", "conntrack invalid"),
		sum("no_route", "Packets that were not sent because there is no route (OutNoRoutes).", "IpOutNoRoutes",
			"Ip6OutNoRoutes"),
		sum("reverse_path_filtered", "Packets that rp_filter dropped (IPReversePathFilter).", "TcpExtIPReversePathFilter"),
		sum("softnet_dropped", "Packets that the machine dropped because a CPU's queue was full (softnet_stat).",
			"softnet dropped"),
		sum("tcp_accept_queue_overflows", "Connections to listeners of the network namespace that were dropped because "+
			"their accept queue was full (ListenOverflows).", "TcpExtListenOverflows"),
		sum("tcp_memory_aborts", "Connections that were reset because TCP had no memory, or too many orphans "+
			"(TCPAbortOnMemory).", "TcpExtTCPAbortOnMemory"),
		sum("tcp_syn_retransmissions", "SYNs and SYN-ACKs that were retransmitted (TCPSynRetrans).",
			"TcpExtTCPSynRetrans"),
		sum("udp_receive_buffer_errors", "UDP packets that were dropped because the receive buffer of their socket was "+
			"full (RcvbufErrors).", "UdpRcvbufErrors", "Udp6RcvbufErrors"),
	}}
}

// Describe lists the metrics.
func (c *Counters) Describe(to chan<- *prometheus.Desc) {
	for i := range c.sums {
		to <- c.sums[i].desc
	}
}

// Collect takes a sample, if the last is not of this second.
func (c *Counters) Collect(to chan<- prometheus.Metric) {
	s := c.sample()
	for i := range c.sums {
		if sum, known := s.Sum(c.sums[i].names...); known {
			to <- prometheus.MustNewConstMetric(c.sums[i].desc, prometheus.CounterValue, float64(sum))
		}
	}
}
