package prober

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/qlogwriter"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

// How a QUIC connection is made and seen.
//
//   - QUIC is quic-go's; the socket under it is ours. It is connected to the one address that was resolved, so that the
//     kernel hands us what ICMP says of it, and every datagram's time and every errno is kept.
//   - QUIC has one handshake for transport and TLS (RFC 9001 section 4). The phase connect ends with the first datagram
//     that the server sends, tls with the handshake.
//   - Datagrams are encrypted: what was acknowledged is told by whether anything arrived after what we sent.

// quicKeepAlive is how often a server that is silent is asked whether it is there, as keepAlive does over TCP.
const quicKeepAlive = time.Second

// quicWindow is how much of a body may have arrived before it is read: less than freeQUIC, so that a body which waits
// to be read is not taken for a flood. It lets 20 MB a second come over a round trip of 100 ms.
const quicWindow = 2 << 20

// quicConfig leaves every deadline to ours. Datagrams stay at the 1280 bytes that every path must carry: one exchange
// gains nothing from probing for more.
var quicConfig = quic.Config{
	HandshakeIdleTimeout: time.Hour, MaxIdleTimeout: time.Hour, KeepAlivePeriod: quicKeepAlive,
	MaxIncomingStreams: -1, DisablePathMTUDiscovery: true,
	MaxStreamReceiveWindow: quicWindow, MaxConnectionReceiveWindow: quicWindow + quicWindow/2,
}

// config is quicConfig with a trace of the packets.
func (d *datagrams) config() *quic.Config {
	c := quicConfig
	c.Tracer = func(context.Context, bool, quic.ConnectionID) qlogwriter.Trace { return &d.times }
	return &c
}

// quicConnection is a hop's connection over QUIC.
type quicConnection struct {
	socket    *datagrams
	transport *quic.Transport
	conn      *quic.Conn // nil until the handshake is finished
	dead      bool       // the server had stopped answering when our deadline struck
}

// look takes the last look at a connection whose exchange failed, before the close adds to it.
func (c *quicConnection) look() {
	var rtt time.Duration
	if c.conn != nil {
		rtt = c.conn.ConnectionStats().SmoothedRTT
	}
	c.dead = c.socket.silent(rtt)
}

// close sends CONNECTION_CLOSE and closes the socket. It may be called more than once.
func (c *quicConnection) close() {
	if c.conn != nil {
		// the exchange is over or has failed
		_ = c.conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	}
	_ = c.transport.Close()
	_ = c.socket.Close()
}

// dialQUIC makes the QUIC connection to the address that was resolved: the phases connect and tls.
func (h *hop) dialQUIC(host string, port uint16) error {
	began := h.attempt.elapsed()
	h.Addr = netip.AddrPortFrom(h.Addr.Addr(), port)
	socket, err := h.attempt.openUDP(h.Addr)
	if err != nil {
		h.fail(result.Connect, began, classify.Failure(udpEvidence(h.Addr.Addr(), err, h.attempt.ending(err))))
		return err
	}
	h.quic = &quicConnection{socket: socket, transport: &quic.Transport{Conn: socket}}
	c := h.tlsConfig(host)
	asked := watchClientCertificate(c)
	h.requirePins(c, nil)
	conn, err := h.quic.transport.Dial(h.attempt.ctx, net.UDPAddrFromAddrPort(h.Addr), c, socket.config())
	if err != nil {
		if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			h.TLS = tlsState(tls.ConnectionState{}, c, bad)
			h.TLS.ClientCertAsked = *asked
		}
		h.failQUIC(began, err)
		return err
	}
	h.quic.conn = conn
	h.TLS = tlsState(conn.ConnectionState().TLS, c, nil)
	h.TLS.ClientCertAsked = *asked
	took := socket.handshake()
	h.doneWithin(result.Connect, max(began, took.began), took.answered, took.connect)
	if f := h.checkRevoked(conn.ConnectionState().TLS.OCSPResponse); f != nil {
		h.close()
		h.failAt(result.TLS, took.answered, took.ended, *f)
		return f.Err
	}
	h.doneWithin(result.TLS, took.answered, took.ended, took.tls)
	return nil
}
