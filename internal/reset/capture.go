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
	maxResets  = 3                // of a flow
	clockStep  = time.Millisecond // by which the system's clock and the monotonic one differ while none was set
	steady     = 3                // SYN-ACKs with one TTL make a reference for a server that resets SYNs
)

// flow is a connection of which packets were captured.
type flow struct{ local, remote netip.AddrPort }

// flowSeen is what was captured of it.
type flowSeen struct {
	synAck synAck
	fins   bool // FINs were captured from the SYN-ACK on
	fin    fin
	resets []rst // the first ones, and the last
	count  int   // of all
}

// synAck is what is kept of a SYN-ACK; it is zero if none was seen.
type synAck struct {
	ttl          uint8
	next         uint32 // the sequence number of the server's first byte
	acknowledged uint32 // that of ours
	arrived      time.Time
}

// fin is what is kept of the server's FIN.
type fin struct {
	seen         bool
	end          uint32 // the sequence number after the FIN
	acknowledged uint32 // that of ours
}

// rst is a RST of a flow, with its number among them.
type rst struct {
	*segment
	index int
}

// serverSeen is what the SYN-ACKs of a server look like.
type serverSeen struct {
	ttl   uint8
	alike int      // in a row
	reset *segment // the last one that answers a SYN
}

// Capture reports who sent a RST. It may be used by many goroutines; a nil Capture has captured nothing.
type Capture struct {
	Way string // how the process may capture, in words

	source packets
	report guard.Report // is called with panics of the draining; may be nil

	mu      sync.Mutex // guards what follows
	fins    bool       // FINs are captured
	flows   map[flow]flowSeen
	order   []flow // of the flows, up to maxFlows; then the oldest goes first
	next    int    // the oldest in order, once it is full
	servers map[netip.AddrPort]serverSeen
}

// packets is where captured packets come from.
type packets interface {
	read(each func(arrival)) // what has arrived; does not wait
	close()
}

// arrival is a packet that has arrived. Its bytes are valid until the next one is read.
type arrival struct {
	packet   []byte
	loopback bool // over the loopback interface
	at       time.Time
}

func newCapture(source packets, report guard.Report) *Capture {
	return &Capture{source: source, report: report, flows: map[flow]flowSeen{},
		servers: map[netip.AddrPort]serverSeen{}}
}

// drain notes what has arrived. The caller holds mu.
func (c *Capture) drain() {
	c.source.read(func(a arrival) {
		if s, ok := parseSegment(a.packet); ok {
			s.loopback, s.arrived = a.loopback, a.at
			c.note(&s)
		}
	})
}

func (c *Capture) note(s *segment) {
	key := flow{s.local, s.remote}
	switch {
	case s.flags&flagRST != 0:
		kept := *s
		seen := c.flows[key]
		if answersSYN(s, &seen) {
			server := c.servers[s.remote]
			server.reset = &kept
			c.keepServer(s.remote, server)
		}
		seen.add(&kept)
		c.keepFlow(key, seen)
	case s.flags&flagFIN != 0:
		c.noteFIN(key, s)
	case s.flags&(flagSYN|flagACK) == flagSYN|flagACK:
		server := c.servers[s.remote]
		if server.ttl != s.ttl {
			server.ttl, server.alike = s.ttl, 0
		}
		server.alike++
		c.keepServer(s.remote, server)
		c.keepFlow(key, flowSeen{synAck: synAck{s.ttl, s.sequence + 1, s.acknowledged, s.arrived}, fins: c.fins})
	}
}

// noteFIN notes the server's first FIN of a connection whose SYN-ACK was captured.
func (c *Capture) noteFIN(key flow, s *segment) {
	if seen := c.flows[key]; seen.fins && !seen.fin.seen {
		seen.fin = fin{true, s.sequence + uint32(s.length) + 1, s.acknowledged}
		c.flows[key] = seen
	}
}

// add adds a RST.
func (f *flowSeen) add(s *segment) {
	f.count++
	if len(f.resets) == maxResets {
		f.resets = f.resets[:maxResets-1]
	}
	f.resets = append(f.resets, rst{s, f.count})
}

// answersSYN reports whether a RST answers a SYN, and is no straggler of an established connection to the same server:
// there was no SYN-ACK or, where the port was used before, it has the form of RFC 9293 section 3.5.2, <SEQ=0><ACK>.
func answersSYN(s *segment, seen *flowSeen) bool {
	return seen.synAck.ttl == 0 || s.flags&flagACK != 0 && s.sequence == 0
}

func (c *Capture) keepFlow(key flow, seen flowSeen) {
	if _, known := c.flows[key]; !known && len(c.order) < maxFlows {
		c.order = append(c.order, key)
	} else if !known {
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

// Ended returns the RST that ended a connection, given what its socket saw; nil if none was captured.
func (c *Capture) Ended(w *result.Wire) *result.Reset {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
	seen := c.flows[flow{w.Local, w.Remote}]
	if len(seen.resets) == 0 {
		return nil
	}
	reference := seen.synAck.ttl
	if server := c.servers[w.Remote]; reference == 0 && server.alike >= steady {
		reference = server.ttl
	}
	return seen.ended(w, reference)
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
	if server.reset == nil || server.reset.arrived.Before(since.Add(-clockStep)) {
		return nil
	}
	reference := uint8(0)
	if server.alike >= steady {
		reference = server.ttl
	}
	seen, count := c.flows[flow{server.reset.local, remote}], 0
	for _, r := range seen.resets { // the port may have been used before
		if !r.arrived.Before(since.Add(-clockStep)) {
			count++
		}
	}
	return newReset(&rst{server.reset, max(1, count)}, reference, max(1, count))
}
