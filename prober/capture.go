package prober

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/result"
)

// Who sent a RST.
//
//   - A packet socket sees the SYN-ACKs and RSTs that come to this network namespace, before TCP does. It needs CAP_NET_RAW; without it
//     everything works but this.
//   - A box that resets in the server's name rarely stands where the server does: its packets cross fewer routers, and arrive with a larger
//     TTL (hop limit) than the server's own SYN-ACK. Initial TTLs are 64, 128 or 255; two that differ tell nothing about distance, since a
//     socket may have a TTL of its own while its kernel's RST has the default.
//   - A RST with TCP options comes from a socket that is alive: its application aborted. One without is an answer to a segment of a
//     connection that its sender does not know (any more).

// judgeReset says who sent a RST with a TTL, given the TTL of the server's own packets; 0 for none.
func judgeReset(ttl, reference uint8, loopback, remoteIsLocal bool) result.Sender {
	switch {
	case loopback && !remoteIsLocal:
		return result.ThisHost
	case reference == 0 || initialTTL(ttl) != initialTTL(reference):
		return result.Ambiguous
	case ttl > reference:
		return result.Middlebox
	case ttl == reference:
		return result.EndHost
	}
	return result.Ambiguous // from farther away: the path itself changed
}

// initialTTL is what a packet was probably sent with.
func initialTTL(ttl uint8) uint8 {
	switch {
	case ttl <= 64:
		return 64
	case ttl <= 128:
		return 128
	}
	return 255
}

// segment is what is kept of a captured packet.
type segment struct {
	local, remote netip.AddrPort
	flags         uint8
	ttl           uint8
	options       bool
	loopback      bool
}

// TCP flags (RFC 9293 section 3.1).
const (
	flagSYN = 1 << 1
	flagRST = 1 << 2
	flagACK = 1 << 4
)

// parseSegment reads a captured packet from its IP header on. It reports false for what the filter should not have let pass.
func parseSegment(b []byte) (segment, bool) {
	var s segment
	var tcp []byte
	var from, to netip.Addr
	switch {
	case len(b) >= 20 && b[0]>>4 == 4 && b[9] == 6 && len(b) >= int(b[0]&15)*4:
		s.ttl, tcp = b[8], b[int(b[0]&15)*4:]
		from, to = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	case len(b) >= 40 && b[0]>>4 == 6 && b[6] == 6:
		s.ttl, tcp = b[7], b[40:]
		from, to = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	}
	if len(tcp) < 20 {
		return s, false
	}
	s.remote = netip.AddrPortFrom(from, uint16(tcp[0])<<8|uint16(tcp[1]))
	s.local = netip.AddrPortFrom(to, uint16(tcp[2])<<8|uint16(tcp[3]))
	s.options, s.flags = tcp[12]>>4 > 5, tcp[13]
	return s, true
}

// The bounds of what a Capture remembers.
const (
	maxFlows   = 16 << 10
	maxServers = 4 << 10
	steady     = 3 // SYN-ACKs with one TTL make a reference for a server that resets SYNs
)

// flow is a connection of which packets were captured.
type flow struct{ local, remote netip.AddrPort }

// flowSeen is what was captured of it.
type flowSeen struct {
	synAck uint8 // its TTL; 0 if none was seen
	reset  *segment
}

// serverSeen is what the SYN-ACKs of a server look like.
type serverSeen struct {
	ttl    uint8
	alike  int // in a row
	reset  *segment
	seenAt time.Time // of the reset
}

// Capture sees who resets. It may be used by many goroutines; nil captures nothing.
type Capture struct {
	source packets
	report atomic.Pointer[guard.Report] // is called with panics; nil before there is one

	mu      sync.Mutex // guards what follows
	flows   map[flow]flowSeen
	order   [maxFlows]flow // of the flows, the oldest goes first
	next    int
	servers map[netip.AddrPort]serverSeen
}

// reportTo sets what is called with panics of the draining.
func (c *Capture) reportTo(report guard.Report) { c.report.Store(&report) }

// packets is where captured packets come from.
type packets interface {
	read(each func(packet []byte, loopback bool)) // what has arrived; does not wait
	close()
}

func newCapture(source packets) *Capture {
	return &Capture{source: source, flows: map[flow]flowSeen{}, servers: map[netip.AddrPort]serverSeen{}}
}

// drain notes what has arrived. The caller holds mu.
func (c *Capture) drain() {
	c.source.read(func(packet []byte, loopback bool) {
		if s, ok := parseSegment(packet); ok {
			s.loopback = loopback
			c.note(&s)
		}
	})
}

func (c *Capture) note(s *segment) {
	key := flow{s.local, s.remote}
	switch {
	case s.flags&flagRST != 0:
		kept := *s
		server := c.servers[s.remote]
		server.reset, server.seenAt = &kept, time.Now()
		c.keepServer(s.remote, server)
		seen := c.flows[key]
		seen.reset = &kept
		c.keepFlow(key, seen)
	case s.flags&(flagSYN|flagACK) == flagSYN|flagACK:
		server := c.servers[s.remote]
		if server.ttl != s.ttl {
			server.ttl, server.alike = s.ttl, 0
		}
		server.alike++
		c.keepServer(s.remote, server)
		c.keepFlow(key, flowSeen{synAck: s.ttl})
	}
}

func (c *Capture) keepFlow(key flow, seen flowSeen) {
	if _, known := c.flows[key]; !known {
		delete(c.flows, c.order[c.next])
		c.order[c.next] = key
		c.next = (c.next + 1) % maxFlows
	}
	c.flows[key] = seen
}

func (c *Capture) keepServer(key netip.AddrPort, seen serverSeen) {
	if _, known := c.servers[key]; !known && len(c.servers) >= maxServers {
		for other := range c.servers { // any
			delete(c.servers, other)
			break
		}
	}
	c.servers[key] = seen
}

// reset is the RST that ended a connection; nil if none was seen.
func (c *Capture) reset(local, remote netip.AddrPort) *result.Reset {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
	seen := c.flows[flow{local, remote}]
	if seen.reset == nil {
		return nil
	}
	reference := seen.synAck
	if server := c.servers[remote]; reference == 0 && server.alike >= steady {
		reference = server.ttl
	}
	return newReset(seen.reset, reference)
}

// refused is the RST that answered a SYN to a server since a time; nil if none was seen.
func (c *Capture) refused(remote netip.AddrPort, since time.Time) *result.Reset {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
	server := c.servers[remote]
	if server.reset == nil || server.seenAt.Before(since) {
		return nil
	}
	reference := uint8(0)
	if server.alike >= steady {
		reference = server.ttl
	}
	return newReset(server.reset, reference)
}

func newReset(s *segment, reference uint8) *result.Reset {
	return &result.Reset{Sender: judgeReset(s.ttl, reference, s.loopback, localAddress(s.remote.Addr())), TTL: s.ttl, Reference: reference, Live: s.options}
}

// provenance asks the capture who sent the RST by which a hop failed, and puts the origin right where that is certain.
func (h *hop) provenance(f *result.Failure) {
	c := h.attempt.prober.options.Capture
	if c == nil || f.Reason != result.TCPReset && f.Reason != result.TCPRefused {
		return
	}
	if h.socket == nil && h.Wire != nil && h.Wire.ICMP == nil && f.Reason == result.TCPRefused {
		h.Wire.Reset = c.refused(h.Wire.Remote, h.attempt.start)
		h.Wire.Reset.Correct(f)
	}
	if h.socket != nil {
		reset := c.reset(h.socket.addresses())
		h.socket.keepReset(reset)
		reset.Correct(f)
	}
}
