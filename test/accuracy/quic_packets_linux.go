package accuracy

import "github.com/quic-go/quic-go/quicvarint"

// The packets and frames of QUIC version 1, as far as a capture of HTTP/3 has them (RFC 9000 sections 17 and 19).

// parseQUIC calls f with each packet of a datagram, its level, and where its number begins. Packets with a short header
// have a connection ID of so many bytes.
func parseQUIC(p []byte, short int, f func(level int, packet []byte, number int)) {
	for len(p) > 0 && p[0]&0x80 != 0 {
		r := fields{left: p}
		r.skip(5)
		r.skip(int(r.byte()))
		r.skip(int(r.byte()))
		level := levelInitial
		switch kind := p[0] >> 4 & 3; kind {
		case 0:
			r.skip(int(r.number()))
		case 2:
			level = levelHandshake
		default:
			return // 0-RTT, which is not sent, or a Retry
		}
		size := int(r.number())
		at := len(p) - len(r.left)
		if r.short || size > len(r.left) {
			return
		}
		f(level, p[:at+size], at)
		p = p[at+size:]
	}
	if len(p) > 0 && p[0]&0x40 != 0 {
		f(levelData, p, 1+short)
	}
}

// quicFrame is a CRYPTO or STREAM frame.
type quicFrame struct {
	crypto, fin    bool
	stream, offset uint64
	data           []byte
}

// numbersOf is how many numbers the other frames have, by their type, of those that have nothing else.
var numbersOf = map[uint64]int{0x00: 0, 0x01: 0, 0x04: 3, 0x05: 2, 0x10: 1, 0x11: 2, 0x12: 1, 0x13: 1, 0x14: 1, 0x15: 2,
	0x16: 1, 0x17: 1, 0x19: 1, 0x1e: 0}

// eachFrame calls f with each CRYPTO and STREAM frame of a packet.
func eachFrame(p []byte, f func(*quicFrame)) {
	r := fields{left: p}
	for len(r.left) > 0 && !r.short {
		kind := r.number()
		switch {
		case kind == 0x02 || kind == 0x03:
			r.acknowledgement(kind)
		case kind == 0x06:
			frame := quicFrame{crypto: true, offset: r.number()}
			if frame.data = r.skip(int(r.number())); !r.short {
				f(&frame)
			}
		case kind == 0x07:
			r.skip(int(r.number()))
		case kind >= 0x08 && kind <= 0x0f:
			frame := quicFrame{stream: r.number(), fin: kind&1 != 0}
			if kind&4 != 0 {
				frame.offset = r.number()
			}
			size := len(r.left)
			if kind&2 != 0 {
				size = int(r.number())
			}
			if frame.data = r.skip(size); !r.short {
				f(&frame)
			}
		case kind == 0x18:
			r.numbers(2)
			r.skip(int(r.byte()) + 16)
		case kind == 0x1a || kind == 0x1b:
			r.skip(8)
		default:
			n, known := numbersOf[kind]
			if !known {
				return // CONNECTION_CLOSE, after which there is nothing
			}
			r.numbers(n)
		}
	}
}

// fields reads what a packet has one after the other.
type fields struct {
	left  []byte
	short bool // there was less than was read
}

func (r *fields) skip(n int) []byte {
	if n < 0 || n > len(r.left) {
		r.short, r.left = true, nil
		return nil
	}
	skipped := r.left[:n]
	r.left = r.left[n:]
	return skipped
}

func (r *fields) byte() byte {
	if b := r.skip(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *fields) number() uint64 {
	n, size, err := quicvarint.Parse(r.left)
	if err != nil {
		size = len(r.left) + 1
	}
	r.skip(size)
	return n
}

func (r *fields) numbers(n int) {
	for range n {
		r.number()
	}
}

// acknowledgement skips an ACK frame, of which one type has counts of ECN.
func (r *fields) acknowledgement(kind uint64) {
	r.numbers(2)
	ranges := int(r.number())
	r.numbers(1)
	for i := 0; i < 2*ranges && !r.short; i++ {
		r.number()
	}
	if kind == 0x03 {
		r.numbers(3)
	}
}
