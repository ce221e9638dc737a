package reset

import "net/netip"

// Bytes is how much of both streams of a connection its socket has counted, FIN and, of those acknowledged, SYN
// included: tcpi_bytes_received and tcpi_bytes_acked (linux/tcp.h).
type Bytes struct{ Received, Acknowledged uint64 }

// Closing is what a capture has seen of how the peer closed a connection.
type Closing struct {
	Known    bool // it has seen the connection from its beginning; nothing else is known otherwise
	FIN      bool // the peer has sent a FIN
	Closed   bool // the socket has received the peer's FIN
	Answered bool // with the acknowledgement of all that this side has sent, its own FIN included if that was acknowledged
}

// Closed is what was seen of the peer's FIN, given what the connection's socket has counted. FINs are captured since
// SeeFINs was called.
func (c *Capture) Closed(local, remote netip.AddrPort, counted Bytes) Closing {
	if c == nil {
		return Closing{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
	seen := c.flows[flow{local, remote}]
	if !seen.fins {
		return Closing{}
	}
	closed := seen.fin.seen && seen.fin.end-seen.synAck.next == uint32(counted.Received)
	return Closing{Known: true, FIN: seen.fin.seen, Closed: closed,
		Answered: closed && seen.fin.acknowledged-seen.synAck.acknowledged+1 == uint32(counted.Acknowledged)}
}
