package faultlab

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"strings"
)

// answer returns the URL of a server that reads a request, sends bytes, and then does what after says.
func answer(h Host, bytes string, after func(*net.TCPConn)) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		if !readRequest(conn) {
			return
		}
		_, _ = io.WriteString(conn, bytes)
		after(conn)
	}) + "/"
}

// hang keeps the connection until the client gives up.
func hang(conn *net.TCPConn) { waitGone(conn) }

// fin sends a FIN and waits for the client to close too, so that no RST follows.
func fin(conn *net.TCPConn) {
	_ = conn.CloseWrite()
	waitGone(conn)
}

// Answer reads a request, sends the bytes given, and keeps the connection until the client closes it.
func Answer(h Host, bytes string) string { h.Helper(); return answer(h, bytes, hang) }

// ResetAfterRequest reads the request and resets.
func ResetAfterRequest(h Host) string { h.Helper(); return answer(h, "", reset) }

// ResetWhen reads the request and resets, or answers 200, as when says for each connection.
func ResetWhen(h Host, when func() bool) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		if !readRequest(conn) {
			return
		}
		if when() {
			reset(conn)
			return
		}
		_, _ = io.WriteString(conn, okClose)
		fin(conn)
	}) + "/"
}

// CloseWithUnreadRequest closes while the request lies unread in its buffer: the kernel sends a RST (RFC 2525 section
// 2.17).
func CloseWithUnreadRequest(h Host) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		var first [1]byte
		_, _ = conn.Read(first[:]) // the rest is here and stays unread
	}) + "/"
}

// FinAfterRequest reads the request and closes in order.
func FinAfterRequest(h Host) string { h.Helper(); return answer(h, "", fin) }

const (
	headCL      = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"
	headChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	headClose   = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
	headClose10 = "HTTP/1.0 200 OK\r\n\r\n"
	some        = "some of the body"
)

// ResetMidHead resets after n bytes of a response's head.
func ResetMidHead(h Host, n int) string { h.Helper(); return answer(h, headCL[:n], reset) }

// FinMidHead closes after n bytes of a response's head.
func FinMidHead(h Host, n int) string { h.Helper(); return answer(h, headCL[:n], fin) }

// ResetMidBody resets within a body with a Content-Length.
func ResetMidBody(h Host) string { h.Helper(); return answer(h, headCL+some, reset) }

// ResetMidChunk resets within a chunk.
func ResetMidChunk(h Host) string { h.Helper(); return answer(h, headChunked+"64\r\n"+some, reset) }

// ResetMidBody10 resets within an HTTP/1.0 body that the end of the connection should end.
func ResetMidBody10(h Host) string { h.Helper(); return answer(h, headClose10+some, reset) }

// FinMidBody closes within a body with a Content-Length.
func FinMidBody(h Host) string { h.Helper(); return answer(h, headCL+some, fin) }

// FinMidChunk closes within a chunk.
func FinMidChunk(h Host) string { h.Helper(); return answer(h, headChunked+"64\r\n"+some, fin) }

// FinEndsBody closes at the end of a body that only the end of the connection ends: no fault can be seen.
func FinEndsBody(h Host) string { h.Helper(); return answer(h, headClose+some, fin) }

// HTTP10 answers with HTTP/1.0 and closes.
func HTTP10(h Host) string { h.Helper(); return answer(h, headClose10+some, fin) }

// StallMidBody sends part of the body and then nothing.
func StallMidBody(h Host) string { h.Helper(); return answer(h, headCL+some, hang) }

// InformationalThenReset sends 103 Early Hints and resets.
func InformationalThenReset(h Host) string {
	h.Helper()
	return answer(h, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", reset)
}

// InformationalThenSilence sends 100 Continue and then nothing.
func InformationalThenSilence(h Host) string {
	h.Helper()
	return answer(h, "HTTP/1.1 100 Continue\r\n\r\n", hang)
}

// InformationalThenOK sends 103 Early Hints, and 200 once release is closed.
func InformationalThenOK(h Host, release <-chan struct{}) string {
	h.Helper()
	return answer(h, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", func(conn *net.TCPConn) {
		<-release
		_, _ = io.WriteString(conn, headClose+some)
		fin(conn)
	})
}

// HugeHead sends a head of 2 MiB.
func HugeHead(h Host) string {
	h.Helper()
	return answer(h, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", 2100)+"\r\n",
		hang)
}

// GarbageGzip sends a body that is not gzip, with that Content-Encoding.
func GarbageGzip(h Host) string {
	h.Helper()
	return answer(h, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 11\r\n\r\nnot gzipped", hang)
}

// TruncatedGzip sends the first half of a gzip stream as the whole body.
func TruncatedGzip(h Host) string {
	h.Helper()
	return Compressed(h, "gzip", Gzipped(strings.Repeat("all of it ", 100))[:20])
}

// Gzipped is a text under gzip.
func Gzipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// Compressed sends a body as it is, with a Content-Encoding.
func Compressed(h Host, encoding string, body []byte) string {
	h.Helper()
	return answer(h, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: "+encoding+"\r\n\r\n"+string(body), fin)
}

// upload returns the URL of a server that reads the head and part of the body of an upload, and then does what after
// says.
func upload(h Host, after func(*net.TCPConn)) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		if !readHead(conn) {
			return
		}
		if _, err := io.CopyN(io.Discard, conn, 64<<10); err != nil {
			return
		}
		after(conn)
	}) + "/"
}

// ResetMidUpload reads part of a large upload and resets.
func ResetMidUpload(h Host) string { h.Helper(); return upload(h, reset) }

// FinMidUpload reads part of a large upload, sends a FIN, and goes on reading.
func FinMidUpload(h Host) string { h.Helper(); return upload(h, fin) }

const tooLarge = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large"

// RefusesUpload answers 413 in the middle of an upload and closes at once; the unread rest makes the kernel send a RST.
func RefusesUpload(h Host) string {
	h.Helper()
	return upload(h, func(conn *net.TCPConn) { _, _ = io.WriteString(conn, tooLarge) })
}

// RefusesUploadGently answers 413 in the middle of an upload, sends a FIN, and reads on until the client closes.
func RefusesUploadGently(h Host) string {
	h.Helper()
	return upload(h, func(conn *net.TCPConn) {
		_, _ = io.WriteString(conn, tooLarge)
		fin(conn)
	})
}
