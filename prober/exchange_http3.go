package prober

import (
	"errors"
	"net/http/httptrace"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"errno_exporter/prober/result"
)

// maxHTTP3Head bounds a head over HTTP/3, each field counting 32 bytes more than it has (RFC 9114 section 4.2.2).
// quic-go decodes a head before its fields can be counted, which takes several times as much memory.
const maxHTTP3Head = 256 << 10

// newHTTP3 returns what turns QUIC connections into HTTP/3 client connections. It never dials.
func newHTTP3() *http3.Transport {
	return &http3.Transport{DisableCompression: true, MaxResponseHeaderBytes: maxHTTP3Head}
}

// runHTTP3 is run for a module that speaks HTTP/3: UDP, QUIC and the exchange.
func (h *hop) runHTTP3(host string, port uint16) []byte {
	defer h.close()
	if h.dialQUIC(host, port) != nil {
		return nil
	}
	began := h.attempt.elapsed()
	p := &progress{start: h.attempt.start, caught: h.attempt.caught, conn: h.quic.socket}
	client := h.attempt.prober.http3.NewClientConn(h.quic.conn)
	request := h.request.WithContext(httptrace.WithClientTrace(h.attempt.ctx, p.hooks()))
	h.Request = h.requestHead(request)
	h.quic.socket.floods.Grant(request.ContentLength)
	var err error
	h.quic.socket.head.Store(&awaited{attempt: h.attempt})
	h.response, err = client.RoundTrip(request)
	h.quic.socket.head.Store(nil)
	p.byDatagrams(h.quic.socket)
	if err == nil {
		h.attempt.leaveSmallHead(result.HeadBytes(h.response.Header))
		err = h.countHTTP3Fields()
	}
	if err == nil {
		err = h.refuseStatus()
	}
	if err != nil {
		h.response = nil
		h.failHTTP3(p, began, err)
		return nil
	}
	return h.receive(p, began)
}

// countHTTP3Fields refuses a head, or a head and a trailer, with too many fields.
func (h *hop) countHTTP3Fields() error {
	_, head := result.HeadBytes(h.response.Header)
	if _, trailer := result.HeadBytes(h.response.Trailer); head+trailer > maxHeadFields {
		return errTooManyFields
	}
	return nil
}

// failQUIC names a handshake that did not come to its end. It is the phase connect until the server has sent something,
// and while the two have not agreed to speak.
func (h *hop) failQUIC(began time.Duration, err error) {
	h.quic.look()
	h.close()
	at, answered := h.endedAt(), h.quic.socket.answered()
	phase := result.TLS
	if answered == 0 || unmet(err) {
		phase = result.Connect
	}
	if phase == result.TLS {
		h.done(result.Connect, began, answered)
		began = answered
	}
	h.failAt(phase, began, at, h.classified(phase, err))
}

// unmet reports whether the server said no before the handshake: to the version or to the connection.
func unmet(err error) bool {
	if _, ok := errors.AsType[*quic.VersionNegotiationError](err); ok {
		return true
	}
	e, ok := errors.AsType[*quic.TransportError](err)
	return ok && e.Remote && e.ErrorCode == quic.ConnectionRefused
}

// failHTTP3 names an exchange that ended before the response's head was complete.
func (h *hop) failHTTP3(p *progress, began time.Duration, err error) {
	h.quic.look()
	h.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	at := h.endedAt()
	if p.firstByte == 0 && h.attempt.noRoom() != nil {
		p.firstByte, p.sent = p.conn.Times() // quic-go was not given what had arrived
	}
	switch {
	case p.firstByte != 0:
		h.failHead(p, began, at, err)
	case p.wrote:
		sent := min(max(p.wroteAt, began), at)
		h.done(result.Request, began, sent)
		h.failAt(result.Processing, sent, at, h.classified(result.Processing, err))
	default:
		h.failAt(result.Request, began, at, h.classified(result.Request, err))
	}
}

// awaited is a head over HTTP/3 that is not there yet.
type awaited struct {
	attempt  *attempt
	received int64 // bytes since the request was sent
}

// arrive asks for room for a head of which more bytes have arrived. One goroutine reads a socket.
func (w *awaited) arrive(n int64) error {
	if w == nil {
		return nil
	}
	if w.received += n; w.received <= freeHTTP3 {
		return nil
	}
	a := w.attempt
	return a.enter(a.prober.heads, roomHTTP3Head, &a.rooms.head)
}

// leaveSmallHead gives room back that bytes of the body asked for.
func (a *attempt) leaveSmallHead(bytes, fields int) {
	if bytes <= freeHTTP3 && fields <= freeFields {
		a.leaveHead()
	}
}
