package prober

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"sync"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/flood"
	"errno_exporter/prober/socket"
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

// maxInformations bounds the 1xx responses before the final one (RFC 9110 section 15.2 sets no bound).
const maxInformations = 20

var errTooManyInformations error = classify.TooLarge("more than " + strconv.Itoa(maxInformations) +
	" 1xx responses before the final one")

// progress is how far an exchange came, as the hooks of net/http report it. Hooks run on net/http's goroutines, and
// may run after RoundTrip returned.
type progress struct {
	start  time.Time        // the attempt's beginning
	caught guard.Report     // is called with panics
	socket *socket.Recorder // nil over HTTP/3
	conn   interface {
		Times() (lastRead, accepted time.Duration)
		Written() int64
	}

	mu           sync.Mutex    // guards what follows
	wrote        bool          // net/http has handed over the whole request
	written      int64         // bytes on the connection by then
	wroteAt      time.Duration // when; for HTTP/1 the last bytes are flushed after this, for HTTP/2 before
	firstByte    time.Duration // arrival of the first byte of the final response; 0 before
	sent         time.Duration // end of the last write before that
	begun        time.Duration // over HTTP/3 the request's first datagram was sent
	doubt        time.Duration // by how much firstByte may be too late
	sentDoubt    time.Duration // by how much sent may be wrong
	informed     time.Duration // arrival of the last 1xx response; 0 if there was none
	informations int           // 1xx responses
}

// hooks are those of net/http that report to p.
func (p *progress) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			p.caught.Run(func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.wrote, p.wroteAt, p.written = info.Err == nil, time.Since(p.start), p.conn.Written()
			})
		},
		GotFirstResponseByte: func() { p.caught.Run(p.responded) },
		Got1xxResponse: func(int, textproto.MIMEHeader) (err error) {
			defer guard.Catch(&err)
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.informations++; p.informations > maxInformations {
				return errTooManyInformations
			}
			p.informed, p.firstByte = p.firstByte, 0
			if p.informed == 0 {
				p.informed, _ = p.conn.Times()
			}
			return nil
		},
	}
}

// responded notes the arrival of a response's first byte. The read that brought it ended before this ran.
func (p *progress) responded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note()
}

// note takes the times of the last read and of the last write. The caller holds mu.
func (p *progress) note() {
	p.firstByte, p.sent = p.conn.Times()
	if p.socket != nil {
		p.doubt, p.sentDoubt = p.socket.Doubts()
	}
}

// head is called when the final response's head is here. After 1xx responses net/http does not announce the final one's
// first byte: it came with the first read after the last of them, or with the same read.
func (p *progress) head() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.firstByte == 0 {
		p.note()
	}
}

// sentAt takes when the request was sent, if the kernel reported it, and returns when that was.
func (p *progress) sentAt(at time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at > 0 {
		p.sent, p.sentDoubt = at, 0
	}
	return p.sent
}

// requestBytes is how many bytes had been written when the request had. HTTP/2 goes on writing, for the connection's
// sake.
func (p *progress) requestBytes(h *hop) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.secondProtocol() && p.written > 0 {
		return p.written
	}
	return p.conn.Written() // of HTTP/2, before net/http has reported that it wrote the request, perhaps a little more
}
