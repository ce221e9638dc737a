package faultlab

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/tls"
	"encoding/binary"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go/quicvarint"
)

// Packets of an established QUIC connection that are made by hand, with frames that quic-go sends only when it needs
// them. From the first of them on quic-go's server hears nothing more of its client: it would end the connection at an
// acknowledgement of a packet that it did not send.

// quicPeer is a client as the server's socket sees it.
type quicPeer struct {
	id      []byte  // the connection ID that the client has chosen
	keys    secrets // the server's
	byHand  atomic.Bool
	arrived chan struct{} // has room for one: a datagram arrived since the packets are made by hand
}

// peer is the client at an address.
func (s *udpSocket) peer(at net.Addr) *quicPeer {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.peers[at.String()]
	if p == nil {
		p = &quicPeer{arrived: make(chan struct{}, 1)}
		s.peers[at.String()] = p
	}
	return p
}

// ReadFrom reads a datagram, but none of a client whose packets are made by hand.
func (s *udpSocket) ReadFrom(packet []byte) (int, net.Addr, error) {
	for {
		n, from, err := s.PacketConn.ReadFrom(packet)
		if err != nil {
			return n, from, err
		}
		p := s.peer(from)
		if !p.byHand.Load() {
			if ids, ok := connectionIDs(packet[:n]); ok && p.id == nil { // in its first packet
				p.id = append([]byte{}, ids[1:1+ids[0]]...)
			}
			return n, from, nil
		}
		select {
		case p.arrived <- struct{}{}:
		default:
		}
	}
}

// secured is the configuration of a server that keeps the secrets of each connection.
func (s *udpSocket) secured() *tls.Config {
	config := secured("h3")
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		own := secured("h3")
		own.KeyLogWriter = &s.peer(hello.Conn.RemoteAddr()).keys
		return own, nil
	}
	return config
}

// quicSealer makes a server's packets with a short header (RFC 9000 section 17.3.1, RFC 9001 section 5).
type quicSealer struct {
	id     []byte
	aead   cipher.AEAD
	iv     []byte
	header cipher.Block // for header protection
	number uint32
}

// firstByHand is a packet number that quic-go's server has not come to.
const firstByHand = 1 << 16

func newQUICSealer(p *quicPeer) *quicSealer {
	secret := p.keys.get()
	s := &quicSealer{id: p.id, number: firstByHand, iv: expandLabel(secret, "quic iv", 12)}
	block, err := aes.NewCipher(expandLabel(secret, "quic key", 16))
	if err != nil {
		panic(err) // the key has 16 bytes
	}
	if s.aead, err = cipher.NewGCM(block); err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	if s.header, err = aes.NewCipher(expandLabel(secret, "quic hp", 16)); err != nil {
		panic(err) // as above
	}
	return s
}

// seal is a packet with frames.
func (s *quicSealer) seal(frames string) []byte {
	const numberLength = 4
	head := append([]byte{0x40 | numberLength - 1}, s.id...)
	head = binary.BigEndian.AppendUint32(head, s.number)
	nonce := append([]byte{}, s.iv...)
	for i, b := range head[len(head)-numberLength:] {
		nonce[len(nonce)-numberLength+i] ^= b
	}
	s.number++
	packet := s.aead.Seal(head, nonce, []byte(frames), head)
	number := packet[1+len(s.id):]
	var mask [aes.BlockSize]byte
	s.header.Encrypt(mask[:], number[numberLength:])
	packet[0] ^= mask[0] & 0x1f
	for i := range numberLength {
		number[i] ^= mask[1+i]
	}
	return packet
}

// A flood leaves the client time to take what it was sent, for the receive buffer of its socket holds few batches.
const (
	quicBatch    = 40
	quicInterval = 10 * time.Millisecond // between batches, unless the client answers earlier
	quicSilences = 500                   // intervals without an answer: the client is gone
	quicFull     = 1100                  // bytes of frames that fit into a packet of 1200
)

// FloodOfQUICFrames answers with packets of frames without end. more makes the nth frame.
func FloodOfQUICFrames(h Host, more func(n uint64) string) string {
	h.Helper()
	return serveQUIC(h, nil, func(s *quicStream) {
		if s.conn.ConnectionState().TLS.CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
			return
		}
		p := s.socket.peer(s.conn.RemoteAddr())
		p.byHand.Store(true)
		sealer, n := newQUICSealer(p), uint64(0)
		for silences := 0; silences < quicSilences; {
			for i := range quicBatch {
				var frames strings.Builder
				if i == 0 {
					frames.WriteString(quicPing) // which is acknowledged
				}
				for frames.Len() == 0 || frames.Len()+len(more(n)) <= quicFull {
					frames.WriteString(more(n))
					n++
				}
				if _, err := s.socket.PacketConn.WriteTo(sealer.seal(frames.String()), s.conn.RemoteAddr()); err != nil {
					return
				}
			}
			select {
			case <-s.conn.Context().Done(): // the host ends
				return
			case <-p.arrived:
				silences = 0
			case <-time.After(quicInterval):
				silences++
			}
		}
	})
}

// quicPing is a frame of type PING (RFC 9000 section 19.2).
const quicPing = "\x01"

// QUICFrame is a frame of a type and with integers of variable length (section 16), before its other bytes.
func QUICFrame(kind uint64, integers []uint64, rest string) string {
	frame := quicvarint.Append(nil, kind)
	for _, i := range integers {
		frame = quicvarint.Append(frame, i)
	}
	return string(frame) + rest
}
