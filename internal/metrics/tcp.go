package metrics

import (
	"errno_exporter/prober/result"
)

// addBytes adds what went over the attempt's connections, TLS included.
func (e *Exposition) addBytes(a *result.Attempt) {
	var sent, received int64
	for i := range a.Hops {
		if wire := a.Hops[i].Wire; wire != nil {
			sent += wire.BytesSent
			received += wire.BytesReceived
		}
	}
	e.recorded("probe_bytes_sent", "Bytes sent on the connection until it ended or failed.", float64(sent))
	e.recorded("probe_bytes_received", "Bytes received on the connection until it ended or failed.", float64(received))
}

// ethernetMTU is the path MTU where nothing makes it smaller, in bytes (RFC 894).
const ethernetMTU = 1500

// addTCP adds the kernel's measurements of the last connection that has any. Round trips are absent when none was
// measured: the SYN was not answered.
func (e *Exposition) addTCP(a *result.Attempt) {
	wire := lastMeasured(a)
	if wire == nil {
		return
	}
	if wire.Reset != nil {
		if delta, known := wire.Reset.Delta(); known {
			e.gauge("probe_reset_ttl_delta", "TTL of the RST that ended the probe minus that of the server's "+
				"SYN-ACK: the number of hops by which the sender of the RST is nearer.", float64(delta))
		}
	}
	if wire.Acknowledged > 0 {
		e.recorded("probe_request_acknowledged_seconds",
			"Time from sending the request to its acknowledgement by the peer's kernel, in seconds: processing minus "+
				"it is the server's own time.", wire.Acknowledged.Seconds())
	}
	if !wire.KernelTimes || e.detail == Whole {
		e.gauge("probe_kernel_timestamps", "1 if the kernel reported when packets arrived, 0 if user-space timestamps "+
			"were used.", number(wire.KernelTimes))
	}
	info := wire.Info
	if info.RTT > 0 {
		e.gauge("probe_tcp_rtt_seconds", "Smoothed round-trip time, as measured by the kernel, in seconds.",
			info.RTT.Seconds())
		e.recorded("probe_tcp_rtt_variance_seconds", "Mean deviation of the round-trip time, in seconds.",
			info.RTTVar.Seconds())
	}
	if info.MinRTT > 0 {
		e.recorded("probe_tcp_min_rtt_seconds", "Minimum round-trip time, as measured by the kernel, in seconds.",
			info.MinRTT.Seconds())
	}
	e.loss("probe_tcp_syn_retransmits", "Number of retransmissions of the SYN.", float64(wire.RepeatedSYNs()))
	e.loss("probe_tcp_retransmitted_segments", "Number of retransmitted segments, including the SYN.",
		float64(info.TotalRetrans))
	e.loss("probe_tcp_out_of_order_packets", "Number of packets that arrived out of order.", float64(info.OutOfOrder))
	e.recorded("probe_tcp_mss_bytes", "Maximum segment size of the sending direction, in bytes.", float64(info.SndMSS))
	if info.PMTU < ethernetMTU || e.detail == Whole {
		e.gauge("probe_tcp_path_mtu_bytes", "Path MTU that the kernel assumes, in bytes.", float64(info.PMTU))
	}
}

// lastMeasured returns the last connection of which the kernel's measurements were taken; nil if there is none.
func lastMeasured(a *result.Attempt) *result.Wire {
	for i := len(a.Hops) - 1; i >= 0; i-- {
		if wire := a.Hops[i].Wire; wire != nil && wire.Info != nil {
			return wire
		}
	}
	return nil
}
