package reset

import (
	"net/netip"
	"sync"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// senderOf is who sent a RST, given the TTL of the server's own packets; 0 for none.
func senderOf(s *segment, reference uint8) result.Sender {
	ttl := s.ttl
	switch {
	case s.loopback && !socket.IsLocal(s.remote.Addr()):
		return result.ThisHost
	case reference == 0 || result.InitialTTL(ttl) != result.InitialTTL(reference):
		return result.Ambiguous
	case ttl > reference:
		return result.Middlebox
	case ttl == reference:
		return result.EndHost
	}
	return result.Ambiguous // from farther away: the path has changed
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

// Capture reports who sent a RST. It may be used by many goroutines; a nil Capture has captured nothing.
type Capture struct {
	Way string // how the process may capture, in words

	source packets
	report guard.Report // is called with panics of the draining; may be nil

	mu      sync.Mutex // guards what follows
	flows   map[flow]flowSeen
	order   [maxFlows]flow // of the flows, the oldest goes first
	next    int
	servers map[netip.AddrPort]serverSeen
}

// packets is where captured packets come from.
type packets interface {
	read(each func(packet []byte, loopback bool)) // what has arrived; does not wait
	close()
}

func newCapture(source packets, report guard.Report) *Capture {
	return &Capture{source: source, report: report, flows: map[flow]flowSeen{},
		servers: map[netip.AddrPort]serverSeen{}}
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

// Ended returns the RST that ended a connection; nil if none was seen.
func (c *Capture) Ended(local, remote netip.AddrPort) *result.Reset {
	if c == nil {
		return nil
	}
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

// Refused returns the RST that has answered a SYN to a server since a time; nil if none was seen.
func (c *Capture) Refused(remote netip.AddrPort, since time.Time) *result.Reset {
	if c == nil {
		return nil
	}
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
	return &result.Reset{Sender: senderOf(s, reference), TTL: s.ttl, Reference: reference, Live: s.options}
}
