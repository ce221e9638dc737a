package prober

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"errno_exporter/prober/flood"
)

// How a connection that we made becomes net/http's client connection.

// h2Linger bounds how long net/http keeps a closed HTTP/2 connection in memory (by itself 5 s).
const h2Linger = 500 * time.Millisecond

// h2Window is how much of a body net/http keeps in memory while it arrives faster than it is read (by itself 4 MiB).
// 1 MiB is 10 MB/s over a round trip of 100 ms.
const h2Window = 1 << 20

// connKey carries the prepared connection to the transport's dial functions.
type connKey struct{}

// newTransport returns a transport that turns connections prepared by us into http.ClientConns of one protocol. It
// never dials, and never uses its pool: a ClientConn is one connection, and its RoundTrip one attempt. TLS is ours: to
// net/http every connection is plain, and HTTP/2 is what it calls unencrypted, with prior knowledge.
func newTransport(setProtocol func(*http.Protocols, bool)) *http.Transport {
	protocols := new(http.Protocols)
	setProtocol(protocols, true)
	prepared := func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, ok := ctx.Value(connKey{}).(net.Conn)
		if !ok {
			return nil, errors.New("prober: no connection was prepared")
		}
		return conn, nil
	}
	return &http.Transport{
		DialContext: prepared, Protocols: protocols,
		DisableCompression: true, MaxResponseHeaderBytes: maxResponseHead, IdleConnTimeout: h2Linger,
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: h2Window},
	}
}

// newClient hands the prepared connection to net/http, unless it has it from an exchange before.
func (h *hop) newClient() error {
	if h.client != nil {
		return nil
	}
	p := h.attempt.prober
	transport, idle := p.http1, p.idle1
	if h.secondProtocol() {
		transport, idle = p.http2, p.idle2
		frames := h.socket.Floods().Layer("HTTP/2 frames", flood.FreeUnits, flood.UnitPrice)
		h.stream = &h2conn{tlsConn: h.stream.(*tlsConn), start: h.attempt.start, budget: frames, of: h.attempt}
	}
	conn := h.stream
	if !h.secondProtocol() {
		h.head = &headConn{Conn: h.framed(), attempt: h.attempt}
		conn = h.head
	}
	if h.attempt.staysOpen {
		transport = idle
	}
	ctx := context.WithValue(context.Background(), connKey{}, conn)
	var err error
	h.client, err = transport.NewClientConn(ctx, "http", "prepared:0")
	return err
}

// framed is the stream of HTTP/1.1, of which the bytes around bodies are priced.
func (h *hop) framed() net.Conn {
	h.framing = h.socket.Floods().Layer("bytes of HTTP/1.1", freeFraming, framingPrice)
	return &framing{h.stream, watched{h.stream, h.framing}}
}

func closeClient(client *http.ClientConn) {
	_ = client.Close() // the exchange is over or has failed
}
