package socket

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

// Options are what is wanted of a connection.
type Options struct {
	Start      time.Time    // times are recorded since then
	Source     netip.Addr   // the local address; the zero one for the kernel's choice
	MaxSegment int          // TCP_MAXSEG in bytes; 0 for the kernel's default
	TTL        int          // of the packets; 0 for the kernel's default
	MinTTL     uint8        // segments that arrive with less are dropped (IP_MINTTL, IPV6_MINHOPCOUNT); 0 for none
	Panicked   guard.Report // is called with panics of other goroutines
	Own        *Own         // notes the socket; may be nil

	network string // "tcp4" or "tcp6"
}

// Connect makes one TCP connection to one address. After a failure the Recorder is nil and the Wire holds what the
// socket knew.
func Connect(ctx context.Context, addr netip.AddrPort, o Options) (*Recorder, *result.Wire, error) {
	o.network = "tcp4"
	if addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()); addr.Addr().Is6() {
		o.network = "tcp6"
	}
	began := time.Since(o.Start)
	d, err := dial(ctx, addr, &o)
	ended := time.Since(o.Start)
	if err != nil {
		event := result.Event{Op: result.OpConnect, Start: began, End: ended, Calls: 1, Err: err}
		event.Errno, _ = classify.Errno(err)
		return nil, &result.Wire{Local: d.local, Remote: addr, Events: []result.Event{event}, Info: d.info,
			InfoAt: "failure", ICMP: d.icmp}, err
	}
	r := NewRecorder(d.conn, o.Start)
	r.stamps, r.wire.SYNRetransmits = d.stamps, d.synRetransmits
	if called := d.calledAt.Sub(o.Start); d.roundTrip > 0 && called+d.roundTrip < ended {
		ended = called + d.roundTrip // after that this goroutine waited for a CPU
		r.wire.Began, r.wire.KernelTimes = called, d.stamped
	}
	r.wire.Established = ended
	r.wire.Append(result.Event{Op: result.OpConnect, Start: began, End: ended, Calls: 1})
	return r, nil, nil
}

// dialled is a connection, and what is known of how it was made; after a failure only that.
type dialled struct {
	conn           net.Conn
	local          netip.AddrPort
	calledAt       time.Time // when connect() was called; zero where that is not known
	synRetransmits uint32
	roundTrip      time.Duration // of the handshake, as the kernel measured it; 0 where it measured none
	stamped        bool          // the kernel timestamps arrivals
	stamps         *stamps       // reads with the kernel's timestamps; nil where there are none

	errno       syscall.Errno // of a failure
	calledTwice bool          // connect was called a second time, and info is from before
	info        *result.TCPInfo
	icmp        *result.ICMP
}

// keepAlive makes the kernel probe a peer that is silent while we wait for it: an answered probe distinguishes a slow
// server from a dead path. KEEPCNT is beyond any deadline of a probe, so that the evidence is there at the deadline and
// the kernel does not end the connection before.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: classify.KeepAliveIdle, Interval: time.Second, Count: 127}
