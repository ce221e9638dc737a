package cause

import (
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// Facts of the kernel's counters around the failure. They count for the whole network namespace, and in it for other
// connections as well. So a fact holds only if the probe's own packets must be among what was counted, or if at least
// as much was counted as the probe sent:
//
//   - A rule of this host that drops an outgoing TCP segment is not reported to the program. The kernel counts each
//     retransmission that could not be sent in TCPRetransFail, and each one, sent or not, in RetransSegs (net/ipv4/
//     tcp_output.c, __tcp_retransmit_skb). If both rose alike, the probe's were not sent.
//   - A full connection tracker drops the packets of new connections, and counts them in drop; two connections that are
//     given the same address and port by NAT are counted in insert_failed, and in drop (net/netfilter/
//     nf_conntrack_core.c). A datagram that is dropped so fails with EPERM, as one that a rule drops.
//   - A listener whose queue is full drops SYNs, and counts them in ListenOverflows or TCPReqQFullDrop (net/ipv4/
//     tcp_input.c, tcp_conn_request). These are listeners of this network namespace.
//
// A RST that a rule of this host sends in the server's name is in no counter: nf_reject_ipv4 and nf_reject_ipv6 do not
// count it in OutRsts.

// counted are the counters around the failure, or around one before it in the same run that is like it: those of the
// newest are read up to a second after it. It is nil where they were not read.
func (s *scene) counted() (*counters.Changes, *Digest) {
	for i := s.at; i >= 0 && i > s.at-max(1, s.run); i-- {
		o := &s.Recent[i]
		f := o.failure()
		if f.Reason != s.f.Reason || f.Phase != s.f.Phase {
			break
		}
		if c := o.Kernel.Changes(); c != nil {
			return c, o
		}
	}
	return nil, nil
}

// kernel notes what the counters settle.
func (s *scene) kernel(k *known) {
	k.note(kernelUnsent, s.is(result.TCPAborted) && s.f.Origin == result.Local,
		"this host itself did not send the data: nothing was in flight, though the peer's window had room for it")
	c, o := s.counted()
	if c == nil {
		return
	}
	all, unsent := c.Rose("TcpRetransSegs"), c.Rose("TcpExtTCPRetransFail")
	k.note(kernelUnsent, (k.has(wordUnanswered) || k.has(wordDead)) && o.Repeats > 0 && all > 0 && unsent >= all,
		"this host sent no retransmission in that time, of %d that were due: it drops them itself", all)
	sent := uint64(o.Repeats) + 1
	dropped := max(c.Rose("conntrack drop"), c.Rose("conntrack insert_failed"))
	k.note(kernelTracker, (k.has(wordUnanswered) || k.has(wordDenied) && k.has(hostTracker)) && dropped >= sent,
		"this host's connection tracker dropped %d packets of new connections in that time", dropped)
	full := c.Rose("TcpExtListenOverflows") + c.Rose("TcpExtTCPReqQFullDrop")
	k.note(kernelQueue, k.has(wordUnanswered) && o.Addr.IsLoopback() && full >= sent,
		"listeners of this host dropped %d new connections in that time: their queue was full", full)
	filtered, damaged := c.Rose("TcpExtIPReversePathFilter"), c.Rose("TcpInCsumErrors")
	k.note(kernelFilter, k.has(wordUnanswered) && filtered >= sent,
		"rp_filter of this host dropped %d packets that arrived in that time", filtered)
	k.note(kernelDamaged, k.has(wordTimedOut) && damaged > 0,
		"%d segments with a wrong checksum arrived in that time", damaged)
}
