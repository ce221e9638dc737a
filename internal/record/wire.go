package record

import (
	"fmt"

	"errno_exporter/prober/result"
)

// wire is what the socket saw.
func (p *page) wire(w *result.Wire) {
	p.section("  Socket")
	if w.Local.IsValid() {
		p.line("    %s to %s", w.Local, w.Remote)
	}
	p.line("    sent %s, received %s", count(w.BytesSent, "byte"), count(w.BytesReceived, "byte"))
	for i := range w.Events {
		if i == (len(w.Events)+1)/2 && w.Dropped > 0 {
			p.line("    … %s left out …", count(w.Dropped, "event"))
		}
		p.event(&w.Events[i])
	}
	if w.Cause != nil {
		p.line("    ended by: %s at %s: %s", w.Cause.Op, Short(w.Cause.End), ending(w.Cause))
	}
	if w.Reset != nil {
		p.line("    reset %s", w.Reset)
		if line := w.Reset.Line(); line != "" {
			p.line("    %s", line)
		}
	}
	if w.ICMP != nil {
		p.line("    ICMP type %d code %d (%s) from %s, reported as %s", w.ICMP.Type, w.ICMP.Code, icmpName(w.ICMP),
			w.ICMP.From, result.ErrnoName(w.ICMP.Errno))
	}
	if w.Info != nil {
		p.tcpInfo(w)
	}
}

func (p *page) event(e *result.Event) {
	took := e.End - e.Start
	if e.Err != nil || e.EOF {
		p.line("    at %9s  %-7s %s, after %s", Short(e.Start), e.Op, ending(e), Short(took))
		return
	}
	switch e.Op {
	case result.OpRead, result.OpWrite:
		p.line("    at %9s  %-7s %s in %s, over %s", Short(e.Start), e.Op, count(e.Bytes, "byte"),
			count(e.Calls, "call"), Short(took))
	default:
		p.line("    at %9s  %-7s done, after %s", Short(e.Start), e.Op, Short(took))
	}
}

// ending is how a system call failed.
func ending(e *result.Event) string {
	switch {
	case e.Errno != 0:
		return fmt.Sprintf("%s (%s)", result.ErrnoName(e.Errno), e.Errno)
	case e.EOF:
		return "end of stream"
	default:
		return e.Err.Error()
	}
}

// tcpInfo is what the kernel knew of the connection, in words (tcp_info of linux/tcp.h).
func (p *page) tcpInfo(w *result.Wire) {
	i := w.Info
	p.section("  Kernel's view (TCP_INFO), taken at the %s", w.InfoAt)
	p.line("    state %s", i.State)
	if i.RTT > 0 {
		p.line("    round trip %s, variance %s, minimum %s", Short(i.RTT), Short(i.RTTVar), Short(i.MinRTT))
	} else {
		p.line("    round trip not measured: the peer acknowledged nothing")
	}
	p.line("    sent %s with %s, received %s", count(i.SegsOut, "segment"), count(i.BytesSent, "byte"),
		count(i.SegsIn, "segment"))
	p.line("    acknowledged by the peer: %s; not yet: %s; not yet sent: %s",
		count(lessSYN(i.BytesAcked), "byte"), count(i.Unacked, "segment"), count(i.NotSent, "byte"))
	if i.Sacked > 0 {
		p.line("    arrived at the peer behind one that did not: %s", count(i.Sacked, "segment"))
	}
	p.line("    retransmitted: %s with %s; of the SYN: %d; lost: %d", count(i.TotalRetrans, "segment"),
		count(i.BytesRetrans, "byte"), w.RepeatedSYNs(), i.Lost)
	if i.Retransmits > 0 || i.Backoff > 0 || i.Probes > 0 {
		p.line("    waiting for an acknowledgement: %d timeouts in a row, backed off %d times, %d probes unanswered",
			i.Retransmits, i.Backoff, i.Probes)
	}
	if i.OutOfOrder > 0 {
		p.line("    arrived out of order: %s", count(i.OutOfOrder, "packet"))
	}
	p.line("    segment size %d, path MTU %d, peer's window %s", i.SndMSS, i.PMTU, count(i.SndWnd, "byte"))
	if i.RwndLimited > 0 {
		p.line("    held up by the peer's window for %s of %s sending", Short(i.RwndLimited), Short(i.BusyTime))
	}
	if i.BytesReceived > 0 {
		p.line("    last data came %s before, last acknowledgement %s before", Short(i.LastDataRecv),
			Short(i.LastAckRecv))
	}
}

// lessSYN takes the one that tcpi_bytes_acked counts for our SYN.
func lessSYN(acked uint64) uint64 {
	if acked == 0 {
		return 0
	}
	return acked - 1
}

// icmpName is what a router meant (RFC 792, RFC 1812 section 5.2.7.1, RFC 4443).
func icmpName(m *result.ICMP) string {
	type message struct{ kind, code uint8 }
	names := map[message]string{
		{3, 0}: "network unreachable", {3, 1}: "host unreachable", {3, 2}: "protocol unreachable",
		{3, 3}: "port unreachable",
		{3, 4}: "fragmentation needed", {3, 9}: "network administratively prohibited",
		{3, 10}: "host administratively prohibited",
		{3, 13}: "communication administratively prohibited", {11, 0}: "time to live exceeded",
	}
	if m.From.Is6() && !m.From.Is4In6() {
		names = map[message]string{
			{1, 0}: "no route to destination", {1, 1}: "communication administratively prohibited",
			{1, 3}: "address unreachable",
			{1, 4}: "port unreachable", {1, 5}: "source address failed policy", {1, 6}: "route rejected",
			{2, 0}: "packet too big",
			{3, 0}: "hop limit exceeded",
		}
	}
	if name, ok := names[message{m.Type, m.Code}]; ok {
		return name
	}
	return "see the IANA list of ICMP types"
}
