package prober

import (
	"net"
	"net/netip"
	"strings"
	"time"
)

// keepAlive makes the kernel ask after the peer while we wait: an answered probe tells a slow server from a dead path.
// KEEPCNT is beyond any probe's deadline, so that the evidence is there at the deadline and the kernel does not end it before.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 127}

// connect makes one TCP connection to one address. After a failure the recorder is nil and the Wire holds what the socket knew.
func (a *attempt) connect(addr netip.AddrPort) (*recorder, *Wire, error) {
	network := "tcp4"
	if addr.Addr().Is6() && !addr.Addr().Is4In6() {
		network = "tcp6"
	}
	witness := newDialWitness(a.segment, a.ttl)
	dialer := net.Dialer{KeepAliveConfig: keepAlive, ControlContext: witness.control}
	if source := a.module.SourceIP; source.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: source.AsSlice()}
	}
	began := a.elapsed()
	conn, err := dialer.DialContext(a.ctx, network, addr.String())
	ended := a.elapsed()
	if err != nil {
		info, icmp := witness.failed()
		event := Event{Op: OpConnect, Start: began, End: ended, Calls: 1, Err: err}
		event.Errno, _ = errnoOf(err)
		return nil, &Wire{Remote: addr, Events: []Event{event}, Info: info, InfoAt: "failure", ICMP: icmp}, err
	}
	r := newRecorder(conn, a.start)
	var roundTrip time.Duration
	r.wire.SYNRetransmits, roundTrip = witness.connected(network)
	if called := witness.calledAt.Sub(a.start); roundTrip > 0 && called+roundTrip < ended {
		ended = called + roundTrip // what came after that was our waiting for a processor
		r.wire.Began, r.wire.KernelTimes = called, witness.stamped
	}
	r.wire.Stood = ended
	r.wire.append(Event{Op: OpConnect, Start: began, End: ended, Calls: 1})
	if witness.stamped && r.raw != nil {
		r.stamps = newStamps(r.raw)
	}
	return r, nil, nil
}

// pick chooses the address to dial: the first of the preferred family, or with fallback the first of the other.
func pick(answers []netip.Addr, preferIPv6, fallback bool) (netip.Addr, bool) {
	for _, addr := range answers {
		if addr.Is6() == preferIPv6 {
			return addr, true
		}
	}
	if fallback && len(answers) > 0 {
		return answers[0], true
	}
	return netip.Addr{}, false
}

// localAddress reports whether an address is one of this host's own, in the network namespace of the process.
func localAddress(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range own {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == addr.Unmap() {
			return true
		}
	}
	return false
}

// addrPort is the address of a TCP or UDP endpoint, IPv4 in its own form.
func addrPort(addr net.Addr) netip.AddrPort {
	if a, ok := addr.(interface{ AddrPort() netip.AddrPort }); ok {
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// literal is the address that a URL's host spells out, without brackets; names are not literals.
func literal(host string) (netip.Addr, bool) {
	if !strings.Contains(host, ":") && (host == "" || host[len(host)-1] > '9') {
		return netip.Addr{}, false // a name: most end in a letter
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap(), err == nil
}
