package prober

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/flood"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// hop is one exchange while it goes on.
type hop struct {
	*result.Hop
	attempt  *attempt
	bare     *http.Request    // without what authorize adds
	request  *http.Request    // as it is sent
	socket   *socket.Recorder // nil until the TCP connection is established
	quic     *quicConnection  // nil unless HTTP/3 is spoken
	stream   net.Conn         // what the next layer speaks over: the socket, or TLS on it
	disarm   func() bool      // takes our deadline off the socket
	proxyTLS bool             // the proxy is spoken to over TLS
	proxying bool             // TLS is spoken with the proxy, and not yet with the target
	named    *chains          // of a certificate that is verified for another name than is sent; nil: it is the same
	forward  *url.URL         // the proxy that is sent the request itself; nil: there is a tunnel, or no proxy
	framing  *flood.Budget    // of the bytes around HTTP/1.1's bodies; nil for other versions
	head     *headConn        // net/http's view of an HTTP/1 stream; nil before the exchange
	client   *http.ClientConn // net/http's view of the connection; nil before the exchange
	response *http.Response   // as net/http gave it; its head is copied to Response
	waited   time.Duration    // for memory, of what its attempt has waited
	matching *matching        // a long body's, with the module's expressions; nil for a short one
	failure  *result.Failure
}

// run is the definition of the phases: one step after the other, and the step that fails is the phase of the failure.
// It returns the body, as far as the module's checks need it.
func (h *hop) run() []byte {
	host, port, err := hostPort(h.request.URL)
	if err != nil {
		h.refused(result.Resolve, result.ProbeConfig, err)
		return nil
	}
	proxy, err := h.attempt.proxyFor(h.request)
	if err != nil {
		h.refused(result.Proxy, result.ProbeConfig, err)
		return nil
	}
	h.attempt.proxied(proxy)
	if (proxy == nil || !h.attempt.module.SkipResolve) && !h.resolve(host) {
		return nil
	}
	if err := h.permitted(host); err != nil {
		phase := result.Connect
		if proxy != nil {
			phase = result.Proxy
		}
		h.refused(phase, result.LocalDenied, err)
		return nil
	}
	// after the lookup, whose metrics are there then, and only where a probe is permitted
	if err := h.authorize(); err != nil {
		return nil
	}
	if h.attempt.module.EnableHTTP3 {
		return h.runHTTP3(host, port)
	}
	defer h.finish()
	if proxy == nil {
		err = h.connect(port)
	} else {
		err = h.tunnel(proxy, host, port)
	}
	if err != nil || h.attempt.stop == result.Connect {
		return nil
	}
	if h.request.URL.Scheme == "https" {
		if err = h.secure(host); err != nil {
			return nil
		}
	}
	if h.attempt.stop != "" {
		return nil
	}
	return h.exchange()
}

// own takes the connection that the rest of the hop speaks over. From here on our deadline is the socket's: nothing
// waits beyond it, whatever layer it waits in.
func (h *hop) own(conn *socket.Recorder) {
	h.socket, h.stream = conn, conn
	if h.attempt.prober.crowded() {
		conn.WatchedBy(h.attempt.prober.lookout)
	}
	h.disarm = guard.Report(h.attempt.caught).AfterFunc(h.attempt.ctx, conn.Interrupt)
}

// finish closes the connection unless it is kept.
func (h *hop) finish() {
	if h.reusable() && h.disarm() {
		h.Wire = h.socket.Wire()
		return
	}
	h.close()
}

// close closes the connection, if one was made, and keeps what it saw. It may be called more than once.
func (h *hop) close() {
	if h.quic != nil {
		h.quic.close()
		h.Wire = h.quic.socket.seen()
	}
	if h.socket == nil {
		return
	}
	h.disarm()
	_ = h.socket.Close() // nothing is lost: the exchange is over or has failed
	h.Wire = h.socket.Wire()
}

// done adds the span of a phase that completed, by our own clock.
func (h *hop) done(p result.Phase, began, ended time.Duration) {
	h.doneWithin(p, began, ended, ended-began)
}

// doneWithin adds the span of a phase that completed, and by how much it may be wrong.
func (h *hop) doneWithin(p result.Phase, began, ended, doubt time.Duration) {
	h.Spans = append(h.Spans, result.Span{Phase: p, Start: began, Duration: max(0, ended-began-h.waitedIn(p)),
		Doubt: max(0, doubt)})
}

// fail adds the span of the phase that failed, and ends the attempt with its failure.
func (h *hop) fail(p result.Phase, began time.Duration, f result.Failure) {
	h.failAt(p, began, h.attempt.elapsed(), f)
}

// refused is the failure of a phase that is not begun, which is our own doing.
func (h *hop) refused(p result.Phase, reason result.Reason, err error) {
	h.fail(p, h.attempt.elapsed(), result.Failure{Reason: reason, Origin: result.Self, Err: err})
}

func (h *hop) failAt(p result.Phase, began, ended time.Duration, f result.Failure) {
	took := max(0, ended-began-h.waitedIn(p))
	h.Spans = append(h.Spans, result.Span{Phase: p, Start: began, Duration: took, Failed: true, Doubt: took})
	if short := h.attempt.noRoom(); short != nil {
		f = *short
	}
	f.Phase, f.Err = p, bug(f.Err)
	if _, ok := errors.AsType[*guard.Panic](f.Err); ok { // of ours, in a goroutine of a library
		f.Reason, f.Origin, f.Errno = result.Unknown, result.Self, 0
	}
	h.provenance(&f)
	h.failure = &f
	h.attempt.record.Failure = &f
}

// forget drops net/http's copy of the head of an exchange that has ended.
func (h *hop) forget() {
	if h.response != nil {
		h.response = &http.Response{Close: h.response.Close, Request: h.response.Request}
	}
}
