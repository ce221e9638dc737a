package prober

import (
	"cmp"
	"io"
	"net"

	"errno_exporter/prober/flood"
)

// The prices of the layers; package flood counts them.
const (
	// they cost more; twice the packets that quicWindow lets be in transit, acknowledgements included
	freeDatagrams = 5000
	foreignFrame  = 100 // units: net/http logs each frame of HTTP/2 that is not for a client
)

// The layers that see no units price bytes. A body of chunks has at least five bytes of framing a chunk (RFC 9112
// section 7.1): chunks of 20 bytes on average are never too many. A compressed body is never twice as long as what it
// holds, but for empty members, empty blocks and their like.
const (
	framingPrice = 4
	freeFraming  = 8 << 20
	freeQUIC     = 5 << 19 // frames of two bytes cost a quarter of a microsecond each
	readOfQUIC   = 6       // bytes: no read of a body has more than one frame, and frames of 40 bytes are no flood
	inflateGain  = 2
	freeInflate  = 1 << 20
)

// watched is a stream whose bytes are units.
type watched struct {
	io.Reader
	budget *flood.Budget
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if flood := w.budget.Charge(int64(n), 0); flood != nil {
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

// cameInBody reports bytes of a body to the layers that do not see bodies.
func (h *hop) cameInBody(n int) error {
	switch {
	case h.quic != nil:
		return cmp.Or(h.quic.socket.units.Charge(0, int64(n)),
			h.quic.socket.bytes.Charge(readOfQUIC, int64(n)*(framingPrice+1)))
	case h.framing != nil:
		return h.framing.Charge(0, int64(n)*(framingPrice+1))
	}
	return nil
}

// flooded is what the peer sent too much of, on the hop's connection; nil if it did not.
func (h *hop) flooded() error {
	return h.floods().Err()
}

// floods is the guard of the hop's connection.
func (h *hop) floods() *flood.Guard {
	if h.quic != nil {
		return h.quic.socket.floods
	}
	return h.socket.Floods()
}
