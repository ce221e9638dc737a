package prober

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"time"

	"errno_exporter/prober/result"
)

// maxResponseHead bounds a response's head, 1xx responses included.
const maxResponseHead = 1 << 20

// exchange sends the request and receives the response: the phases request, processing and transfer. It returns the
// body, as far as the module's checks need it.
func (h *hop) exchange() []byte {
	began := h.attempt.elapsed()
	h.attempt.demand(result.Request)
	p := &progress{start: h.attempt.start, caught: h.attempt.caught, conn: h.socket, socket: h.socket}
	if conn, ok := h.stream.(*tlsConn); ok && h.attempt.prober.crowded() {
		conn.reads.readSingly()
	}
	err := h.newClient()
	if err == nil {
		if !h.secondProtocol() { // whose read loop writes, too, and would wait for itself
			h.socket.HoldWrites()
		}
		h.socket.Floods().Grant(h.request.ContentLength)
		if requestSize(h.request) <= smallRequest {
			h.stampRequest()
		} else {
			h.socket.StopStamping()
		}
		h.socket.BeginRequest()
		request := h.traced(p)
		h.Request = h.requestHead(request)
		h.response, err = h.client.RoundTrip(request)
		h.socket.ReleaseWrites()
	}
	if err == nil {
		err = h.refuseStatus()
	}
	if err != nil {
		if h.client != nil {
			closeClient(h.client)
		}
		h.failExchange(p, began, err)
		return nil
	}
	defer func() {
		if !h.reusable() {
			closeClient(h.client)
		}
	}()
	return h.receive(p, began)
}

// receive reads the response whose head is here: the end of processing, and transfer.
func (h *hop) receive(p *progress, began time.Duration) []byte {
	p.head()
	h.Response = headOf(h.response)
	h.readUpstream(nil)
	defer h.response.Body.Close()
	if h.response.StatusCode == http.StatusSwitchingProtocols {
		// it has no body: what follows is of another protocol (RFC 9110 section 15.2.2)
		h.response.Body, h.response.Close = http.NoBody, true
	}
	if h.socket != nil {
		upTo := p.requestBytes(h)
		// before the body, with which the connection may end
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
	h.doneTransfer(p, transfer)
	if h.socket != nil {
		h.socket.ReadTCPInfo()
	}
	return body
}

// doneTransfer adds the span of transfer, which began with the response's first byte.
func (h *hop) doneTransfer(p *progress, began time.Duration) {
	ended := h.received(began)
	if h.quic != nil {
		_, last := h.quic.socket.ended()
		p.mu.Lock()
		defer p.mu.Unlock()
		h.doneWithin(result.Transfer, began, ended, last+p.doubt)
		return
	}
	if h.socket == nil || !h.socket.Stamped() {
		h.done(result.Transfer, began, ended)
		return
	}
	last, _ := h.socket.Doubts()
	p.mu.Lock()
	defer p.mu.Unlock()
	h.doneWithin(result.Transfer, began, ended, max(last, p.doubt))
}

// received is when the response's last byte arrived.
func (h *hop) received(began time.Duration) time.Duration {
	if h.quic != nil {
		last, _ := h.quic.socket.ended()
		return max(began, last)
	}
	if h.socket != nil && h.socket.Stamped() {
		if last, _ := h.socket.Times(); last >= began {
			return last
		}
	}
	now := h.attempt.elapsed()
	if h.matching != nil {
		now -= h.matching.took // which is ours
	}
	return max(began, now)
}

// stampRequest requests the kernel's timestamps of a small request. A probe that runs alone needs no time of sending:
// the clock gives the same.
func (h *hop) stampRequest() {
	if h.attempt.prober.crowded() {
		h.socket.StampRequest()
	} else {
		h.socket.StampAcknowledgement()
	}
}

// crowded reports whether several probes are under way.
func (p *Prober) crowded() bool { return p.probing.Load() > 1 }

// traced is the request with our hooks, in absolute form for a proxy that is sent the request itself.
func (h *hop) traced(p *progress) *http.Request {
	request := h.request.WithContext(httptrace.WithClientTrace(context.Background(), p.hooks()))
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
	if p.socket == nil {
		h.spanDatagrams(p, began, sent)
		return p.firstByte
	}
	if first, writes := p.socket.FirstWrite(); writes == 1 {
		began = sent // all of it at once
	} else if first > 0 {
		began = min(max(began, first), sent)
	}
	h.done(result.Request, began, sent)
	h.doneWithin(result.Processing, sent, p.firstByte, p.sentDoubt+min(p.doubt, p.firstByte-sent))
	return p.firstByte
}

// failExchange names an exchange that ended before the response's head was complete. The phase is what was going on
// when the causal event happened, not when net/http reported it.
func (h *hop) failExchange(p *progress, began time.Duration, err error) {
	h.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	at := h.endedAt()
	if h2, ok := h.stream.(*h2conn); ok && p.firstByte == 0 && p.informed == 0 {
		p.firstByte, p.sent = min(h2.frames().HeadAt, at), p.wroteAt // net/http reports only complete heads
	}
	if p.firstByte == 0 && p.informed == 0 && h.attempt.noRoom() != nil {
		p.firstByte, p.sent = p.conn.Times() // net/http was not given what had arrived
	}
	switch {
	case p.firstByte != 0:
		h.failHead(p, began, at, err)
	case h.requestAccepted(p, at):
		_, sent := h.socket.Times()
		if h.secondProtocol() {
			// later writes are the connection's own; that the request was written may be reported late
			sent = min(sent, p.wroteAt)
		}
		sent = min(max(sent, began), at)
		h.done(result.Request, began, sent)
		h.failAt(result.Processing, sent, at, h.classified(result.Processing, err))
	default:
		h.failAt(result.Request, began, at, h.classified(result.Request, err))
	}
}

// failHead is the failure of an exchange that ended within the response's head.
func (h *hop) failHead(p *progress, began, at time.Duration, err error) {
	sent := min(max(p.sent, began), p.firstByte)
	h.done(result.Request, began, sent)
	h.done(result.Processing, sent, p.firstByte)
	h.failAt(result.Transfer, p.firstByte, at, h.classified(result.Transfer, err))
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
	if errors.Is(err, errNotMatched) {
		h.failMatching(began, err)
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

// requestAccepted reports whether the kernel had taken the last byte of the request at a time. net/http
// reports it for HTTP/2 after it has flushed the request, for HTTP/1 before: what it reported later than the event was
// not flushed before it, and what it reported earlier was accepted if the write succeeded, since a reset socket accepts
// nothing.
func (h *hop) requestAccepted(p *progress, at time.Duration) bool {
	settled := h.socket.Settle()
	if h.secondProtocol() {
		return p.wrote
	}
	return p.wrote && p.wroteAt <= at && settled
}

// secondProtocol reports whether the connection speaks HTTP/2.
func (h *hop) secondProtocol() bool { return h.TLS != nil && h.TLS.ALPN == "h2" }

// reusable reports whether the hop's connection stays open: its exchange succeeded, and the server does not close it.
func (h *hop) reusable() bool {
	if !h.attempt.staysOpen || h.failure != nil || h.response == nil || h.response.Close || h.client == nil ||
		h.attempt.follows(h) {
		return false
	}
	return h.client.Err() == nil
}
