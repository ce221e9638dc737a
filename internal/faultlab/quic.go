package faultlab

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/quic-go/quic-go"
)

// Servers of QUIC that fail below HTTP/3, and what those of HTTP/3 are made of.

// udpSocket is a server's socket whose datagrams can be kept from leaving, as if the path or the server had died.
type udpSocket struct {
	net.PacketConn
	allowed atomic.Int64 // datagrams that may still leave
	muted   atomic.Bool  // none may leave

	mu    sync.Mutex // guards peers
	peers map[string]*quicPeer
}

const unlimited = 1 << 40

func newUDPSocket(h Host) *udpSocket {
	h.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		h.Fatalf("faultlab: listen on UDP: %v", err)
	}
	s := &udpSocket{PacketConn: conn, peers: map[string]*quicPeer{}}
	s.allowed.Store(unlimited)
	h.Cleanup(func() { _ = conn.Close() })
	return s
}

// WriteTo sends a datagram unless it is to be lost.
func (s *udpSocket) WriteTo(p []byte, to net.Addr) (int, error) {
	if s.muted.Load() || s.allowed.Add(-1) < 0 {
		return len(p), nil
	}
	return s.PacketConn.WriteTo(p, to)
}

// SetReadBuffer leaves the kernel's default.
func (s *udpSocket) SetReadBuffer(int) error { return nil }

// SetWriteBuffer leaves the kernel's default.
func (s *udpSocket) SetWriteBuffer(int) error { return nil }

func (s *udpSocket) url() string { return "https://" + s.LocalAddr().String() + "/" }

// QUICSilent has an open UDP port that never answers.
func QUICSilent(h Host) string { h.Helper(); return newUDPSocket(h).url() }

// QUICClosedPort is a UDP port where nothing listens: ICMP port unreachable.
func QUICClosedPort(h Host) string {
	h.Helper()
	socket := newUDPSocket(h)
	_ = socket.Close()
	return socket.url()
}

// QUICOtherVersion answers with a Version Negotiation packet (RFC 9000 section 17.2.1) that offers a version nobody
// speaks.
func QUICOtherVersion(h Host) string {
	h.Helper()
	socket := newUDPSocket(h)
	var serving sync.WaitGroup
	serving.Go(func() {
		packet := make([]byte, 2048)
		for {
			n, from, err := socket.ReadFrom(packet)
			if err != nil {
				return
			}
			if ids, ok := connectionIDs(packet[:n]); ok {
				_, _ = socket.WriteTo(append(append([]byte{0x80, 0, 0, 0, 0}, ids...), 0x1a, 0x2a, 0x3a, 0x4a), from)
			}
		}
	})
	h.Cleanup(func() { _ = socket.Close(); serving.Wait() })
	return socket.url()
}

// connectionIDs are a long header's two connection IDs with their lengths, swapped for the way back.
func connectionIDs(packet []byte) ([]byte, bool) {
	if len(packet) < 7 || packet[0]&0x80 == 0 {
		return nil, false
	}
	destination := packet[5:]
	n := 1 + int(destination[0])
	if len(destination) <= n {
		return nil, false
	}
	source := destination[n:]
	m := 1 + int(source[0])
	if len(source) < m {
		return nil, false
	}
	return append(append([]byte{}, source[:m]...), destination[:n]...), true
}

// QUICRefuses answers every connection with CONNECTION_REFUSED.
func QUICRefuses(h Host) string {
	h.Helper()
	refuse := func(*quic.ClientInfo) (*quic.Config, error) { return nil, errors.New("not today") }
	return serveQUIC(h, &quic.Config{GetConfigForClient: refuse}, func(*quicStream) {})
}

// QUICSilentInHandshake asks for proof of the address by a Retry packet, and then falls silent.
func QUICSilentInHandshake(h Host) string {
	h.Helper()
	socket := newUDPSocket(h)
	socket.allowed.Store(1)
	transport := &quic.Transport{Conn: socket, VerifySourceAddress: func(net.Addr) bool { return true }}
	serveTransport(h, transport, nil, func(*quicStream) {})
	return socket.url()
}

// quicStream is the first request stream of a connection.
type quicStream struct {
	*quic.Stream
	conn      *quic.Conn
	socket    *udpSocket
	transport *quic.Transport
}

// serveQUIC speaks QUIC up to the first request stream and then does what handle says.
func serveQUIC(h Host, config *quic.Config, handle func(*quicStream)) string {
	h.Helper()
	socket := newUDPSocket(h)
	serveTransport(h, &quic.Transport{Conn: socket, StatelessResetKey: new(quic.StatelessResetKey)}, config, handle)
	return socket.url()
}

func serveTransport(h Host, transport *quic.Transport, config *quic.Config, handle func(*quicStream)) {
	h.Helper()
	l, err := transport.Listen(transport.Conn.(*udpSocket).secured(), config)
	if err != nil {
		h.Fatalf("faultlab: listen for QUIC: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept(ctx)
			if err != nil {
				return
			}
			serving.Go(func() {
				if s, err := conn.AcceptStream(ctx); err == nil {
					handle(&quicStream{s, conn, transport.Conn.(*udpSocket), transport})
				}
			})
		}
	})
	h.Cleanup(func() {
		cancel()
		_ = l.Close()
		_ = transport.Close()
		serving.Wait()
	})
}

func (s *quicStream) finish() { _ = s.Close() }

// idle leaves the stream as it is until the connection ends.
func (s *quicStream) idle() { <-s.conn.Context().Done() }

// connectionIDSource numbers connections, and remembers the numbers.
type connectionIDSource struct {
	mu    sync.Mutex
	given []quic.ConnectionID
}

// GenerateConnectionID returns the next one.
func (c *connectionIDSource) GenerateConnectionID() (quic.ConnectionID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.given = append(c.given, quic.ConnectionIDFromBytes(binary.BigEndian.AppendUint64(nil, uint64(len(c.given)))))
	return c.given[len(c.given)-1], nil
}

// ConnectionIDLen is 8.
func (c *connectionIDSource) ConnectionIDLen() int { return 8 }

func (c *connectionIDSource) all() []quic.ConnectionID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.given)
}
