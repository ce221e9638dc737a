package web

import (
	"maps"
	"net/http"
	"time"

	"errno_exporter/guard"
)

// What every answer has in common, for every client.

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
		p := guard.Try(func() { next.ServeHTTP(w, r) })
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
	})
}

// answerBy bounds when the answer has been taken, from now. A handler that probes calls it twice: with the time that
// the probe may take as well, and again when the answer is known, so that a long timeout gives nobody a long time to
// take it.
func answerBy(w http.ResponseWriter, within time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(within)) // as above
}
