package web

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/common/expfmt"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/watch"
)

// What every answer has in common: its headers, by when it has to be taken, its samples, and how it is written.

const (
	bodyTimeout   = 10 * time.Second // for a request's body, which nothing reads
	answerTimeout = time.Minute      // for an answer to be taken, once it is known
)

// everywhere are the headers of every answer.
var everywhere = http.Header{
	"X-Content-Type-Options":  {"nosniff"},
	"X-Frame-Options":         {"DENY"},
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
	"Referrer-Policy":         {"no-referrer"},
}

// bounded bounds how slowly a request may come and its answer be taken, and forbids browsers to make of it what it is
// not.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), everywhere)
		if r.ContentLength != 0 {
			// a connection without deadlines has no slow sender either
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
		}
		answerBy(w, answerTimeout)
		next.ServeHTTP(w, r)
	})
}

// recovered answers 500 where a handler panics, and reports it: net/http would end the connection without an answer. A
// handler that gives an answer up on purpose panics with http.ErrAbortHandler, which stays net/http's.
func recovered(next http.Handler, report guard.Report) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := guard.Recovered(recover())
			if p == nil {
				return
			}
			if p.Value == http.ErrAbortHandler {
				panic(http.ErrAbortHandler)
			}
			if report != nil {
				report(p)
			}
			refuse(w, "a bug of errno_exporter ended this answer: see its log", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// answerBy bounds when the answer has been taken, from now. A handler that probes calls it twice: with the time that
// the probe may take as well, and again when the answer is known, so that a long timeout gives nobody a long time to
// take it.
func answerBy(w http.ResponseWriter, within time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(within)) // as above
}

// refuse answers with an error: one or more lines, which may have texts of the client or of a file in them.
func refuse(w http.ResponseWriter, text string, status int) {
	http.Error(w, string(escape.Line([]byte(text))), status)
}

// expose adds the samples of one target, for /probe and for /metrics. Without an outcome there is what is known without
// probing, and that the exporter itself is why.
func expose(e *metrics.Exposition, s *watch.State, histograms config.Histograms) {
	if s.Target != nil {
		e.Target(s.Target)
		histograms = cmp.Or(s.Target.Histograms, histograms)
		if s.Target.MinInterval > 0 {
			e.Age(s.Age)
		}
	}
	r, reliable := s.Missing, false
	if o := s.Outcome; o != nil {
		r, reliable = o.Result, o.Reliable
	}
	e.Reliable(reliable)
	e.Probe(r, s.Module)
	if s.Idle != nil {
		e.Keepalive(s.Idle)
	}
	e.Totals(s.Totals, metrics.Kept{Histograms: histograms, Resets: metrics.ResetPhases(s.Module, r.Target.URL)})
	e.Cause(s.Verdict)
}

// negotiate chooses the format that the client prefers, text, OpenMetrics or protobuf, and announces it.
func negotiate(w http.ResponseWriter, r *http.Request) expfmt.Format {
	accepts := r.Header["Accept"]
	last := negotiated.Load()
	if last == nil || !slices.Equal(last.accepts, accepts) {
		format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
		last = &negotiation{accepts, format, []string{string(format)}}
		negotiated.Store(last)
	}
	w.Header()["Content-Type"] = last.contentType
	return last.format
}

// negotiation is what came of a header Accept.
type negotiation struct {
	accepts     []string
	format      expfmt.Format
	contentType []string
}

// negotiated is the last one: a client sends the same Accept each time.
var negotiated atomic.Pointer[negotiation]

// connKey is what the connection of a request is found by in its context.
type connKey struct{}

// ConnContext is for http.Server: it lets handlers know the connection.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	if layered, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = layered.NetConn() // below TLS
	}
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			return context.WithValue(ctx, connKey{}, raw)
		}
	}
	return ctx
}

// writeCorked writes an answer in one piece, where the connection is one that can be corked. net/http writes it in
// pieces, the first of 4 KiB, and each is a packet that wakes the client: the kernel keeps them back until the last one
// is written.
func writeCorked(w http.ResponseWriter, r *http.Request, answer []byte) {
	raw, ok := r.Context().Value(connKey{}).(syscall.RawConn)
	if !ok {
		_, _ = w.Write(answer) // fails only if the client is gone
		return
	}
	cork(raw, 1)
	defer cork(raw, 0)
	_, _ = w.Write(answer)                    // as above
	_ = http.NewResponseController(w).Flush() // what net/http has kept back of it; as above
}
