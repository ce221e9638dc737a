package faultlab

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/http2"
)

// Servers that answer a request, keep the connection, and then do something else than serve the next one.

const okKept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// keeps answers the first request and then does what then says.
func keeps(h Host, then func(*net.TCPConn)) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		if !readRequest(conn) {
			return
		}
		_, _ = io.WriteString(conn, okKept)
		then(conn)
	}) + "/"
}

// IdleFin sends a FIN once the connection has been idle for a time.
func IdleFin(h Host, after time.Duration) string {
	h.Helper()
	return keeps(h, func(conn *net.TCPConn) { pause(after); fin(conn) })
}

// IdleReset sends a RST once the connection has been idle for a time.
func IdleReset(h Host, after time.Duration) string {
	h.Helper()
	return keeps(h, func(conn *net.TCPConn) { pause(after); reset(conn) })
}

// IdleTimeoutAnswer sends a 408 that nobody asked for, and a FIN, once the connection has been idle for a time.
func IdleTimeoutAnswer(h Host, after time.Duration) string {
	h.Helper()
	return keeps(h, func(conn *net.TCPConn) {
		pause(after)
		_, _ = io.WriteString(conn, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		fin(conn)
	})
}

// IdleTLSClose sends a close_notify once the connection has been idle for a time, and leaves TCP open.
func IdleTLSClose(h Host, after time.Duration) string {
	h.Helper()
	return "https://" + serveTLS(h, secured("http/1.1"), func(conn *tls.Conn, raw *net.TCPConn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, _ = io.WriteString(conn, okKept)
		pause(after)
		_ = conn.CloseWrite()
		waitGone(raw)
	}) + "/"
}

// IdleGoAway answers over HTTP/2 and sends GOAWAY (NO_ERROR) once the connection has been idle for a time.
func IdleGoAway(h Host, after time.Duration) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		s.headers(last)
		pause(after)
		_ = s.WriteGoAway(1, http2.ErrCodeNo, nil)
		s.hang()
	})
}

// ResetsIdle answers every request, and sends a RST once the connection has been idle for a time.
func ResetsIdle(h Host, after time.Duration) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		for conn.SetReadDeadline(time.Now().Add(after)) == nil && readRequest(conn) {
			_, _ = io.WriteString(conn, okKept)
		}
		reset(conn)
	}) + "/"
}

// GoesAwayIdle answers every request over HTTP/2, and sends GOAWAY (NO_ERROR) once the connection has been idle for a
// time.
func GoesAwayIdle(h Host, after time.Duration) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		for served := true; served; served = s.conn.SetReadDeadline(time.Now().Add(after)) == nil && s.awaitHeaders() {
			s.headers(last)
		}
		_ = s.WriteGoAway(s.id, http2.ErrCodeNo, nil)
	})
}

// SecondReset reads the second request and sends a RST.
func SecondReset(h Host) string { h.Helper(); return second(h, reset) }

// SecondFin reads the second request and sends a FIN.
func SecondFin(h Host) string { h.Helper(); return second(h, fin) }

// SecondSilent reads the second request and never answers.
func SecondSilent(h Host) string { h.Helper(); return second(h, hang) }

func second(h Host, then func(*net.TCPConn)) string {
	h.Helper()
	return keeps(h, func(conn *net.TCPConn) {
		if readRequest(conn) {
			then(conn)
		}
	})
}

// SecondRaces closes the connection in the moment in which the second request arrives: it lies unread in its buffer,
// and the kernel sends a RST.
func SecondRaces(h Host) string {
	h.Helper()
	return keeps(h, func(conn *net.TCPConn) {
		var first [1]byte
		_, _ = conn.Read(first[:]) // the rest is here and stays unread
	})
}

// Gone answers and keeps the connection, and tells when a client that had kept it for a second request has closed it
// instead.
func Gone(h Host, told chan<- struct{}) string {
	h.Helper()
	return keeps(h, func(conn *net.TCPConn) {
		var first [1]byte
		if _, err := conn.Read(first[:]); err == io.EOF {
			told <- struct{}{}
		}
	})
}
