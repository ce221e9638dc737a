package prober

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"errno_exporter/prober/classify"
)

// How a peer that sends without bringing the response forward is stopped.
//
//   - Every layer of a connection counts units: reads of the socket, TLS records, HTTP/2 frames, bytes around an
//     HTTP/1.1 body, bytes of compressed data, datagrams. What a unit is for does not matter: the next kind of frame
//     is counted like the others.
//   - A unit has a price in useful bytes, and what the layer hands to the one above is useful. A budget pays for what
//     is not: freeUnits at once, and unitsPerSecond from then on, so that a server that is slow, or that sends PING
//     while nothing happens, is never accused however long that lasts.
//   - Each KiB of a request's body pays for four units: acknowledgements and window updates.
//   - A layer whose budget is spent ends the connection: reason peer.flood. RFC 9113 section 10.5 and RFC 9000
//     section 21.9 leave the bound to the implementation.

const (
	unitPrice      = 32     // useful bytes that a unit brings on average
	freeUnits      = 20_000 // a tenth of a second of one CPU
	unitsPerSecond = 100
	freeDatagrams  = 5000 // they are dearer; twice what quicWindow lets be on the way, acknowledgements included
	foreignFrame   = 100  // units: net/http logs each frame of HTTP/2 that is not for a client
)

// The layers that see no units price bytes. Around a body of chunks stand at least five bytes a chunk (RFC 9112
// section 7.1): chunks of 20 bytes on average are never too many. A compressed body is never twice as long as what it
// holds, but for empty members, empty blocks and their like.
const (
	framingPrice = 4
	freeFraming  = 8 << 20
	freeQUIC     = 3 << 20 // frames of two bytes cost a quarter of a microsecond each
	inflateGain  = 2
	freeInflate  = 1 << 20
)

// floodGuard keeps the budgets of one connection's layers.
type floodGuard struct {
	stop func() // ends the connection's reads and writes; called once, with mu held

	mu     sync.Mutex // guards what follows, and the budgets
	layers []*budget
	extra  int64                // granted to every layer
	err    *classify.FloodError // the first layer's whose budget was spent; nil before
}

// budget is what one layer may still spend, in useful bytes.
type budget struct {
	guard        *floodGuard
	unit         string
	price        int64 // of one unit
	most, left   int64
	filled       time.Time
	count, bytes int64 // units, and useful bytes, of the connection's whole life
}

// layer adds a layer of the connection, of which so many units are free.
func (g *floodGuard) layer(unit string, free, price int64) *budget {
	b := g.budget(unit, free, price)
	g.mu.Lock()
	defer g.mu.Unlock()
	b.most, b.left = b.most+g.extra, b.left+g.extra
	g.layers = append(g.layers, b)
	return b
}

// budget is a layer of one exchange.
func (g *floodGuard) budget(unit string, free, price int64) *budget {
	return &budget{guard: g, unit: unit, price: price, most: free * price, left: free * price, filled: time.Now()}
}

// grant lets every layer spend more, for what is sent to the peer and will be acknowledged.
func (g *floodGuard) grant(sent int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	more := max(0, sent) / 1024 * 4 * unitPrice
	g.extra += more
	for _, b := range g.layers {
		b.most += more
		b.left += more
	}
}

// flood is what the peer sent too much of; nil if it did not.
func (g *floodGuard) flood() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		return nil
	}
	return g.err
}

// charge counts units and what they brought. Its error ends the connection.
func (b *budget) charge(units, useful int64) error {
	g := b.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return g.err
	}
	b.count += units
	b.bytes += useful
	b.left = min(b.most, b.left-units*b.price+useful)
	if b.left < 0 {
		b.refill()
	}
	if b.left >= 0 {
		return nil
	}
	return b.end()
}

// overdraw ends the connection by somebody else's bound.
func (b *budget) overdraw() error {
	b.guard.mu.Lock()
	defer b.guard.mu.Unlock()
	if b.guard.err != nil {
		return b.guard.err
	}
	return b.end()
}

// end makes the layer the one that ends the connection. The caller holds mu.
func (b *budget) end() error {
	g := b.guard
	g.err = &classify.FloodError{Unit: b.unit, Count: b.count, Bytes: b.bytes}
	if g.stop != nil {
		g.stop()
	}
	return g.err
}

// refill adds what time has earned since the last refill.
func (b *budget) refill() {
	now := time.Now()
	b.left = min(b.most, b.left+int64(now.Sub(b.filled).Seconds()*unitsPerSecond*unitPrice))
	b.filled = now
}

// watched is a stream whose bytes are units.
type watched struct {
	io.Reader
	budget *budget
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if flood := w.budget.charge(int64(n), 0); flood != nil {
		return 0, flood
	}
	return n, err
}

// framing is a connection of HTTP/1.1: bytes are read for their price, and bodies are what they bring.
type framing struct {
	net.Conn
	in watched
}

func (f *framing) Read(p []byte) (int, error) { return f.in.Read(p) }

// cameInBody tells the layers that see no bodies what of their units was one.
func (h *hop) cameInBody(n int) error {
	switch {
	case h.quic != nil:
		return firstOf(h.quic.socket.units.charge(0, int64(n)), h.quic.socket.bytes.charge(0, int64(n)*(framingPrice+1)))
	case h.socket.framing != nil:
		return h.socket.framing.charge(0, int64(n)*(framingPrice+1))
	}
	return nil
}

// firstOf is the first of two errors that is one.
func firstOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// flooded is what the peer sent too much of, on the hop's connection; nil if it did not.
func (h *hop) flooded() error {
	return h.floods().flood()
}

// floods is the guard of the hop's connection.
func (h *hop) floods() *floodGuard {
	if h.quic != nil {
		return h.quic.socket.floods
	}
	return h.socket.floods
}

// A name server's answer is one message. Over UDP answers to other questions are ignored (RFC 5452 section 9.1), up to
// freeAnswers of them; a connection brings freeAnswerBytes, which are several of the longest messages.
const (
	freeAnswers     = 1000
	freeAnswerBytes = 256 << 10
)

// newDNSAnswers is the budget of answers to one question.
func newDNSAnswers() *budget { return new(floodGuard).budget("answers", freeAnswers, unitPrice) }

// boundedConn is a connection to a name server, which brings little.
type boundedConn struct {
	net.Conn
	reads, bytes *budget
}

// dialBounded connects to a name server.
func dialBounded(ctx context.Context, network, server string) (net.Conn, error) {
	conn, err := (&net.Dialer{Control: reportICMP}).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	g := &floodGuard{stop: func() { _ = conn.SetDeadline(time.Unix(1, 0)) }} // fails only on a closed connection
	return &boundedConn{conn, g.layer("reads", freeUnits, unitPrice), g.layer("bytes", freeAnswerBytes, 1)}, nil
}

func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if flood := firstOf(c.reads.charge(1, 0), c.bytes.charge(int64(n), 0)); flood != nil {
		return 0, flood
	}
	return n, err
}
