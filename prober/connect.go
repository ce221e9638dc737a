package prober

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

// connect makes the TCP connection to the address that was resolved.
func (h *hop) connect(port uint16) error {
	began := h.attempt.elapsed()
	h.Addr = netip.AddrPortFrom(h.Addr.Addr(), port)
	conn, wire, err := h.attempt.connect(h.Addr)
	if err != nil {
		h.Wire = wire
		h.fail(result.Connect, began, classify.Failure(dialEvidence(wire, err, h.attempt.ending(err))))
		return err
	}
	h.own(conn)
	h.done(result.Connect, max(began, conn.wire.Began), conn.wire.Stood)
	return nil
}

// keepAlive makes the kernel ask after the peer while we wait: an answered probe tells a slow server from a dead path.
// KEEPCNT is beyond any probe's deadline, so that the evidence is there at the deadline and the kernel does not end it
// before.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: classify.KeepAliveIdle, Interval: time.Second, Count: 127}

// wanted is what is wanted of a connection.
type wanted struct {
	network string     // "tcp4" or "tcp6"
	source  netip.Addr // our address; the zero one for the kernel's choice
	segment int        // the maximum segment size; 0 for any
	ttl     int        // of the packets; 0 for the kernel's

	caught guard.Report // is called with panics
}

// dialled is a connection, and what was learned while it was made; after a failure only that.
type dialled struct {
	conn           net.Conn
	local          netip.AddrPort
	calledAt       time.Time // when connect() was called; zero where that is not known
	synRetransmits uint32
	roundTrip      time.Duration // that the kernel measured of the handshake; 0 where it measured none
	stamped        bool          // the kernel notes arrivals
	stamps         *stamps       // by which it is read; nil where the kernel does not

	errno syscall.Errno // of a failure
	asked bool          // connect was called again, and info is of before
	info  *result.TCPInfo
	icmp  *result.ICMP
}

// connect makes one TCP connection to one address. After a failure the recorder is nil and the Wire holds what the
// socket knew.
func (a *attempt) connect(addr netip.AddrPort) (*recorder, *result.Wire, error) {
	w := wanted{network: "tcp4", source: a.module.SourceIP, segment: a.segment, ttl: a.ttl, caught: a.caught}
	if addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()); addr.Addr().Is6() {
		w.network = "tcp6"
	}
	began := a.elapsed()
	d, err := dial(a.ctx, addr, &w)
	ended := a.elapsed()
	if err != nil {
		event := result.Event{Op: result.OpConnect, Start: began, End: ended, Calls: 1, Err: err}
		event.Errno, _ = classify.Errno(err)
		return nil, &result.Wire{Remote: addr, Events: []result.Event{event}, Info: d.info, InfoAt: "failure",
			ICMP: d.icmp}, err
	}
	r := newRecorder(d.conn, a.start)
	r.stamps, r.wire.SYNRetransmits = d.stamps, d.synRetransmits
	if called := d.calledAt.Sub(a.start); d.roundTrip > 0 && called+d.roundTrip < ended {
		ended = called + d.roundTrip // what came after that was our waiting for a CPU
		r.wire.Began, r.wire.KernelTimes = called, d.stamped
	}
	r.wire.Stood = ended
	r.wire.Append(result.Event{Op: result.OpConnect, Start: began, End: ended, Calls: 1})
	return r, nil, nil
}

// families say which addresses may be dialled.
type families struct {
	preferIPv6 bool
	fallback   bool // the other family will do
}

// pick chooses the address to dial: the first of the preferred family, or with fallback the first of the other.
func (f families) pick(answers []netip.Addr) (netip.Addr, bool) {
	for _, addr := range answers {
		if addr.Is6() == f.preferIPv6 {
			return addr, true
		}
	}
	if f.fallback && len(answers) > 0 {
		return answers[0], true
	}
	return netip.Addr{}, false
}

// literal is the address that a URL's host spells out, without brackets; names are not literals.
func literal(host string) (netip.Addr, bool) {
	if !strings.Contains(host, ":") && (host == "" || host[len(host)-1] > '9') {
		return netip.Addr{}, false // a name: most end in a letter
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap(), err == nil
}
