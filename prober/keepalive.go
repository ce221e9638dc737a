package prober

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Idle connections: one request, a pause, and another request.
//
//   - A connection stays open after a request that succeeded, unless the server announces that it will close it.
//     net/http continues to read from it, so that the recorder sees its end when it comes. The kernel's keepalive is
//     off while it is idle: it would refresh the state in a NAT whose loss is to be found.
//   - Its second use is one attempt on this connection: nothing dials, and nothing is retried.
//   - The times of a second exchange are counted from the first attempt, and moved when it is over.

// IdleConn is a connection that idles between two requests. It is used by one goroutine at a time.
type IdleConn struct {
	hop       *hop
	since     time.Time     // when it became idle
	announced time.Duration // the server's Keep-Alive: timeout=; 0 if it announced nothing
}

// OpenIdle makes a request as a probe does, and returns its connection; nil if the request failed, or the server closes
// after its answer. announced is the server's idle timeout (RFC 2068 section 19.7.1.1, Keep-Alive), -1 if it
// closes the connection after each response, 0 if it announces none.
func (p *Prober) OpenIdle(ctx context.Context, t Target, m *module.Module) (idle *IdleConn, announced time.Duration) {
	a := p.newAttempt(ctx, t, m, "")
	a.staysOpen = true
	h := a.run()
	if h.failure == nil && h.response != nil && h.response.Close {
		announced = -1
	}
	if !h.reusable() {
		h.disconnect()
		return nil, announced
	}
	h.forget()
	c := &IdleConn{hop: h, since: time.Now()}
	c.announced = keepAliveTimeout(h.Response.Header.Get("Keep-Alive"))
	h.socket.StopKeepAlive()
	return c, c.announced
}

// Idle is for how long the connection has been idle, and whether it is still established.
func (c *IdleConn) Idle() (time.Duration, bool) {
	_, ended := c.end()
	return time.Since(c.since), !ended
}

// Rest waits until the connection has been idle for an age, or has ended; false if the context was done before.
func (c *IdleConn) Rest(ctx context.Context, age time.Duration) bool {
	ticker := time.NewTicker(min(max(age/100, 10*time.Millisecond), time.Second))
	defer ticker.Stop()
	for {
		idle, established := c.Idle()
		if !established || idle >= age {
			return true
		}
		if left := age - idle; left < time.Second {
			ticker.Reset(min(left, 10*time.Millisecond))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return false
		}
	}
}

// Close ends the connection.
func (c *IdleConn) Close() { c.hop.disconnect() }

// Probe sends the request again on the idle connection, unless that has ended. If that succeeds the connection
// stays open, and is idle from now; else it is closed.
func (c *IdleConn) Probe(ctx context.Context) result.IdleResult {
	if r, ended := c.end(); ended {
		c.hop.disconnect()
		return r
	}
	before := c.hop
	a := before.attempt.prober.newAttempt(ctx, before.attempt.target, before.attempt.module, "")
	a.staysOpen = true
	a.start = before.socket.Start() // the recorder's times begin there
	base := a.elapsed()
	a.record.Start = time.Now()
	r := result.IdleResult{Idle: a.record.Start.Sub(c.since), Used: true}
	a.left = before.attempt.left
	h := a.newHop(before.repeat(ctx))
	h.reuse(before)
	a.guarded(func() { h.validate(h.exchangeAgain()) })
	a.record.Elapsed = a.elapsed() - base
	a.record.Rebase(base)
	a.seal()
	r.Attempt, r.Failure, r.Ended = a.record, a.record.Failure, time.Now()
	c.hop, c.since = h, r.Ended
	if !h.reusable() {
		h.disconnect()
	} else {
		h.forget()
		h.socket.StopKeepAlive()
	}
	return r
}

// Reusable reports whether the connection can be used once more.
func (c *IdleConn) Reusable() bool { return c.hop.reusable() }

// end reports whether the connection ended while it was idle, and how.
func (c *IdleConn) end() (result.IdleResult, bool) {
	h := c.hop
	closed := h.socket.Closed() // first: what closed it is on the wire by then
	at, _ := h.socket.Times()
	e := &classify.Evidence{Step: classify.StepIdle, Phase: result.Idle, Wire: h.socket.Wire(), TLS: h.TLS,
		Flood: h.flooded()}
	if h2, ok := h.stream.(*h2conn); ok {
		seen := h2.soFar()
		e.Frames = &seen
	}
	switch {
	case e.Flood != nil:
	case e.Frames != nil && e.Frames.GoAway:
		at = e.Frames.GoAwayAt
	case e.Wire.Cause != nil:
		at = e.Wire.Cause.End
	case !closed: // net/http closes when TLS ends, or something arrives that was not requested
		return result.IdleResult{}, false
	}
	f := classify.Failure(e)
	f.Phase = result.Idle
	h.provenance(&f)
	ended := h.socket.Start().Add(at)
	idle := max(0, ended.Sub(c.since))
	record := result.Attempt{Start: c.since, Elapsed: idle, Failure: &f, Hops: []result.Hop{{
		URL: h.URL, Addr: h.Addr, Proxy: h.Proxy, TLS: h.TLS, Wire: h.socket.Wire(),
		Spans: []result.Span{{Phase: result.Idle, Duration: idle, Failed: true}},
	}}}
	sealed(&record, h.attempt.mask)
	return result.IdleResult{Idle: idle, Attempt: record, Failure: &f, Ended: ended}, true
}

// reuse takes over the connection of another hop.
func (h *hop) reuse(other *hop) {
	h.Addr, h.Answers, h.Proxy, h.TLS = other.Addr, other.Answers, other.Proxy, other.TLS
	h.stream, h.client, h.forward, h.proxyTLS = other.stream, other.client, other.forward, other.proxyTLS
	h.socket, h.framing = other.socket, other.framing
	h.socket.Renew()
	if h2, ok := h.stream.(*h2conn); ok {
		h2.again(h.attempt)
	}
	if h.head = other.head; h.head != nil {
		h.head.again(h.attempt)
	}
	h.socket.StartKeepAlive()
	h.disarm = guard.Report(h.attempt.caught).AfterFunc(h.attempt.ctx, h.socket.Interrupt)
}

// exchangeAgain is what run does once the connection is established.
func (h *hop) exchangeAgain() []byte {
	defer h.finish()
	if h.authorize() != nil {
		return nil
	}
	if h.forward != nil {
		h.authorizeForward()
	}
	return h.exchange()
}

// disconnect ends the hop's connection, if one was made.
func (h *hop) disconnect() {
	if h.client != nil {
		closeClient(h.client)
	}
	h.close()
}

// keepAliveTimeout reads the header Keep-Alive, such as "timeout=5, max=100".
func keepAliveTimeout(header string) time.Duration {
	for parameter := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
		if strings.EqualFold(strings.TrimSpace(name), "timeout") && err == nil {
			return time.Duration(seconds) * time.Second
		}
	}
	return 0
}

// newIdleTransport is newTransport for connections that stay open: nothing in net/http ends them while they idle.
func newIdleTransport(setProtocol func(*http.Protocols, bool)) *http.Transport {
	t := newTransport(setProtocol)
	t.IdleConnTimeout = 0
	return t
}
