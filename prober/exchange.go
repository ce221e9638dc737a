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
	"errno_exporter/prober/result"
)

// maxResponseHead bounds a response's head, 1xx responses included.
const maxResponseHead = 1 << 20

// maxInformations bounds the 1xx responses before the final one (RFC 9110 section 15.2 sets no bound).
const maxInformations = 20

var errTooManyInformations error = classify.TooLarge("more than " + strconv.Itoa(maxInformations) +
	" 1xx responses before the final one")

// h2Linger bounds how long net/http keeps a closed HTTP/2 connection in memory (by itself 5 s).
const h2Linger = 500 * time.Millisecond

// h2Window is how much of a body net/http keeps in memory for who reads more slowly than it comes (by itself 4 MiB). 1
// MiB is 10 MB/s from 100 ms away.
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

// progress is how far an exchange came, as net/http's two remaining hooks tell. Hooks run on net/http's goroutines, and
// may run after RoundTrip returned.
type progress struct {
	start  time.Time    // the attempt's beginning
	caught guard.Report // is called with panics
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
	informed     time.Duration // arrival of the last 1xx response; 0 if there was none
	informations int           // 1xx responses
}

func (p *progress) trace() *httptrace.ClientTrace {
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
	p.firstByte, p.sent = p.conn.Times()
}

// head is called when the final response's head is here. After 1xx responses net/http does not announce the final one's
// first byte: it came with the first read after the last of them, or with the same read.
func (p *progress) head() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.firstByte == 0 {
		p.firstByte, p.sent = p.conn.Times()
	}
}

// exchange sends the request and receives the response: the phases request, processing and transfer. It returns the
// body, as far as the module's checks need it.
func (h *hop) exchange() []byte {
	began := h.attempt.elapsed()
	p := &progress{start: h.attempt.start, caught: h.attempt.caught, conn: h.socket}
	err := h.newClient()
	if err == nil {
		if !h.secondProtocol() { // whose read loop writes, too, and would wait for itself
			h.socket.HoldWrites()
		}
		h.socket.Floods().Grant(h.request.ContentLength)
		if h.request.ContentLength <= smallRequest {
			h.stampRequest()
		}
		request := h.traced(p)
		h.Request = h.requestHead(request)
		h.response, err = h.client.RoundTrip(request)
		h.socket.ReleaseWrites()
	}
	if err != nil {
		if h.client != nil {
			closeClient(h.client)
		}
		h.failExchange(p, began, err)
		return nil
	}
	defer func() {
		if !h.keeps() {
			closeClient(h.client)
		}
	}()
	return h.receive(p, began)
}

// receive reads the response whose head is here: the end of processing, and transfer.
func (h *hop) receive(p *progress, began time.Duration) []byte {
	p.head()
	h.Response = headOf(h.response)
	defer h.response.Body.Close()
	if h.socket != nil {
		upTo := p.requestBytes(h)
		// while the connection stands: it may end with the body
		h.socket.SetAcknowledged(upTo, p.sentAt(h.socket.SentAt(upTo)))
	}
	transfer := h.spanHead(p, began)
	body, err := h.readBody()
	if err == nil && h.quic != nil {
		err = h.countHTTP3Fields() // now the trailer is known, too
	}
	if err != nil {
		h.failTransfer(transfer, err)
		return nil
	}
	h.done(result.Transfer, transfer, h.received(transfer))
	if h.socket != nil {
		h.socket.ReadTCPInfo()
	}
	return body
}

// sentAt takes when the request was sent, if the kernel reported it, and returns when that was.
func (p *progress) sentAt(at time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at > 0 {
		p.sent = at
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
	return p.conn.Written() // of HTTP/2, where net/http has not told yet, perhaps a little more
}

// received is when the response's last byte arrived.
func (h *hop) received(began time.Duration) time.Duration {
	if h.socket != nil && h.socket.Stamped() {
		if last, _ := h.socket.Times(); last >= began {
			return last
		}
	}
	return h.attempt.elapsed()
}

// stampRequest requests the kernel's timestamps of a small request. A probe that runs alone needs no time of sending:
// the clock gives the same.
func (h *hop) stampRequest() {
	if h.attempt.prober.probing.Load() <= 1 {
		h.socket.StampAcknowledgement()
	} else {
		h.socket.StampRequest()
	}
}

// smallRequest is the size of a body in bytes up to which the socket's buffer is never full.
const smallRequest = 8 << 10

// newClient hands the prepared connection to net/http, unless it has it from an exchange before.
func (h *hop) newClient() error {
	if h.client != nil {
		return nil
	}
	p := h.attempt.prober
	transport, keeping := p.http1, p.keep1
	if h.secondProtocol() {
		transport, keeping = p.http2, p.keep2
		frames := h.socket.Floods().Layer("HTTP/2 frames", flood.FreeUnits, flood.UnitPrice)
		h.stream = &h2conn{tlsConn: h.stream.(*tlsConn), start: h.attempt.start, budget: frames, of: h.attempt}
	}
	conn := h.stream
	if !h.secondProtocol() {
		h.head = &headConn{Conn: h.framed(), attempt: h.attempt}
		conn = h.head
	}
	if h.attempt.keep {
		transport = keeping
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

// traced is the request with our hooks, in absolute form for a proxy that is sent the request itself.
func (h *hop) traced(p *progress) *http.Request {
	request := h.request.WithContext(httptrace.WithClientTrace(context.Background(), p.trace()))
	if h.forward != nil {
		absolute := *request.URL
		absolute.Opaque = "//" + absolute.Host + absolute.EscapedPath()
		if absolute.Path == "" {
			absolute.Opaque += "/"
		}
		request.URL = &absolute
	}
	return request
}

func (h *hop) requestHead(r *http.Request) *result.RequestHead {
	return &result.RequestHead{Method: r.Method, URL: h.URL, Host: hostOf(r), Header: r.Header, Body: r.ContentLength}
}

func hostOf(r *http.Request) string {
	if r.Host != "" {
		return r.Host
	}
	return r.URL.Host
}

func headOf(r *http.Response) *result.Response {
	return &result.Response{
		Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor, Status: r.StatusCode, StatusText: r.Status,
		Header: r.Header, ContentLength: r.ContentLength,
	}
}

// spanHead adds the spans of request and processing once the response has begun, and returns when it began. A server
// may answer before it has read the request: then processing takes no time.
func (h *hop) spanHead(p *progress, began time.Duration) (firstByte time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := p.sent
	if h.Response.ProtoMajor >= 2 && p.wrote {
		sent = min(sent, p.wroteAt) // the last write may have been an acknowledgement of settings
	}
	sent = min(max(sent, began), p.firstByte)
	h.done(result.Request, began, sent)
	h.done(result.Processing, sent, p.firstByte)
	return p.firstByte
}

// failExchange names an exchange that ended before the response's head was complete. The phase is what was going on
// when the causal event happened, not when net/http told us.
func (h *hop) failExchange(p *progress, began time.Duration, err error) {
	h.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	at := h.endedAt()
	if h2, ok := h.stream.(*h2conn); ok && p.firstByte == 0 && p.informed == 0 {
		p.firstByte, p.sent = min(h2.frames().HeadAt, at), p.wroteAt // net/http tells only of a head that is complete
	}
	if p.firstByte == 0 && p.informed == 0 && h.attempt.noRoom() != nil {
		p.firstByte, p.sent = p.conn.Times() // net/http was not given what had arrived
	}
	switch {
	case p.firstByte != 0:
		sent := min(max(p.sent, began), p.firstByte)
		h.done(result.Request, began, sent)
		h.done(result.Processing, sent, p.firstByte)
		h.failAt(result.Transfer, p.firstByte, at, h.classified(result.Transfer, err))
	case h.requestAccepted(p, at):
		_, sent := h.socket.Times()
		if h.secondProtocol() {
			// later writes are the connection's own; the word that it was written may come late
			sent = min(sent, p.wroteAt)
		}
		sent = min(max(sent, began), at)
		h.done(result.Request, began, sent)
		h.failAt(result.Processing, sent, at, h.classified(result.Processing, err))
	default:
		h.failAt(result.Request, began, at, h.classified(result.Request, err))
	}
}

// failTransfer names a body that did not come to its end.
func (h *hop) failTransfer(began time.Duration, err error) {
	if h.quic != nil {
		h.quic.look()
	}
	h.close()
	if errors.Is(err, errBodyTooLarge) {
		at := h.attempt.elapsed()
		h.done(result.Transfer, began, at)
		h.fail(result.Validate, at, result.Failure{Reason: result.HTTPContent, Origin: result.Self,
			Check: result.CheckBodySize, Err: err})
		return
	}
	h.failAt(result.Transfer, began, h.endedAt(), h.classified(result.Transfer, err))
}

// endedAt is when the exchange ended: at the causal event, else at our own deadline, else now.
func (h *hop) endedAt() time.Duration {
	if h.quic != nil {
		if cause := h.quic.socket.seen().Cause; cause != nil {
			return cause.End
		}
		return h.attempt.elapsed()
	}
	return h.socket.EndedAt()
}

// requestAccepted reports whether the kernel had taken the last byte of the request at a time. HTTP/2 tells after it
// has flushed the request. HTTP/1 tells before: what was told later than the event was not flushed before it, and what
// was, was accepted if the write succeeded, since a reset socket takes nothing.
func (h *hop) requestAccepted(p *progress, at time.Duration) bool {
	settled := h.socket.Settle()
	if h.secondProtocol() {
		return p.wrote
	}
	return p.wrote && p.wroteAt <= at && settled
}

// secondProtocol reports whether the connection speaks HTTP/2.
func (h *hop) secondProtocol() bool { return h.TLS != nil && h.TLS.ALPN == "h2" }
