package faultlab

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Handler serves HTTP/1.1 by a handler, without faults.
func Handler(h Host, handler http.Handler) string {
	h.Helper()
	return "http://" + serveHTTP(h, listen(h, "tcp4", "127.0.0.1:0"), nil, handler) + "/"
}

// HandlerOn is Handler on another loopback address, such as "127.0.0.2:0" or "[::1]:0".
func HandlerOn(h Host, address string, handler http.Handler) string {
	h.Helper()
	return "http://" + serveHTTP(h, listen(h, "tcp", address), nil, handler) + "/"
}

// TLSHandler serves HTTPS by a handler, over the protocols given ("h2", "http/1.1").
func TLSHandler(h Host, handler http.Handler, protocols ...string) string {
	h.Helper()
	return "https://" + serveHTTP(h, listen(h, "tcp4", "127.0.0.1:0"), secured(protocols...), handler) + "/"
}

// ClosesIdle answers, and closes a connection in order once it has been idle for a time.
func ClosesIdle(h Host, after time.Duration) string {
	h.Helper()
	return "http://" + serveWith(h, listen(h, "tcp4", "127.0.0.1:0"),
		&http.Server{Handler: Healthy, IdleTimeout: after}) + "/"
}

// serveHTTP runs a http.Server until the host is done, and returns its address.
func serveHTTP(h Host, l net.Listener, config *tls.Config, handler http.Handler) string {
	return serveWith(h, l, &http.Server{Handler: handler, TLSConfig: config})
}

func serveWith(h Host, l net.Listener, server *http.Server) string {
	config := server.TLSConfig
	server.ErrorLog, server.Protocols = log.New(io.Discard, "", 0), new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if config == nil {
			_ = server.Serve(l) // ends with the host
			return
		}
		server.Protocols.SetHTTP2(len(config.NextProtos) > 0 && config.NextProtos[0] == "h2")
		_ = server.ServeTLS(l, "", "")
	}()
	h.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return l.Addr().String()
}

// Healthy answers every request with 200 and a little JSON.
var Healthy http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`)
})

// Echo answers with what it was sent.
var Echo http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	seen := Seen{Method: r.Method, URI: r.RequestURI, Proto: r.Proto, Host: r.Host, Header: r.Header,
		Body: string(body), Length: r.ContentLength}
	if r.TLS != nil {
		seen.ServerName = r.TLS.ServerName
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen)
})

// Seen is what Echo saw of a request.
type Seen struct {
	Method, URI, Proto, Host string
	Header                   http.Header
	Body                     string
	Length                   int64 // Content-Length; -1 when it was sent in chunks
	ServerName               string
}

// Status answers every request with a status and headers, given as name, value, …
func Status(h Host, status int, header ...string) string {
	h.Helper()
	return Handler(h, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}))
}

// Times is when a slow server did what, for comparison with what a client measured.
type Times struct{ Asked, Answered, Finished time.Time }

// Slow answers with a head after one delay and with its last body byte after another, and reports when it did what.
func Slow(h Host, beforeHead, beforeTail time.Duration, report func(Times)) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		var t Times
		if !readRequest(conn) {
			return
		}
		t.Asked = time.Now()
		pause(beforeHead)
		t.Answered = time.Now()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\no")
		pause(beforeTail)
		t.Finished = time.Now()
		_, _ = io.WriteString(conn, "k")
		report(t)
		waitGone(conn)
	}) + "/"
}

// pause is a server's delay: the fault itself, not a way to wait for something.
func pause(d time.Duration) { <-time.After(d) }

// Redirects answers /N with a redirect to /N-1 down to /0, which is a 200.
func Redirects(h Host) string {
	h.Helper()
	return Handler(h, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil || n == 0 {
			Healthy.ServeHTTP(w, r)
			return
		}
		http.Redirect(w, r, "/"+strconv.Itoa(n-1), http.StatusFound)
	}))
}

// Resetting resets the connection instead of an answer.
var Resetting http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err) // only over HTTP/2
	}
	_ = conn.(*net.TCPConn).SetLinger(0) // then the close is a RST
	_ = conn.Close()
})

// OneBadAddress serves at 127.0.0.1, 127.0.0.2 and 127.0.0.3, on one port: the second one resets. It returns the port.
func OneBadAddress(h Host) (port string) {
	h.Helper()
	port = "0"
	for _, backend := range []struct {
		address string
		handler http.Handler
	}{{"127.0.0.1", Healthy}, {"127.0.0.2", Resetting}, {"127.0.0.3", Healthy}} {
		served := HandlerOn(h, net.JoinHostPort(backend.address, port), backend.handler)
		_, port, _ = net.SplitHostPort(strings.Trim(strings.TrimPrefix(served, "http://"), "/"))
	}
	return port
}
