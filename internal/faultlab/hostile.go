package faultlab

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// Servers that would have the client spend memory or time without bound.

// flood reads a request, sends a head, and then a piece again and again until the client goes away.
func flood(h Host, head, piece string) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		if readRequest(conn) {
			pour(conn, head, piece)
		}
	}) + "/"
}

// pour writes a head, and a piece until that fails.
func pour(conn net.Conn, head, piece string) {
	_, err := io.WriteString(conn, head)
	for err == nil {
		_, err = io.WriteString(conn, piece)
	}
}

// EndlessHeaders never ends its response's head.
func EndlessHeaders(h Host) string {
	h.Helper()
	return flood(h, "HTTP/1.1 200 OK\r\n", strings.Repeat("X-Header: "+strings.Repeat("x", 100)+"\r\n", 100))
}

// EndlessHeader never ends one line of its response's head.
func EndlessHeader(h Host) string {
	h.Helper()
	return flood(h, "HTTP/1.1 200 OK\r\nX-Header: ", strings.Repeat("x", 16<<10))
}

// EndlessInformation sends 103 (RFC 8297) without end.
func EndlessInformation(h Host) string {
	h.Helper()
	return flood(h, "", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n", 100))
}

// EndlessBody is a body that ends with the connection, which does not end.
func EndlessBody(h Host) string {
	h.Helper()
	return flood(h, headClose, strings.Repeat("x", 64<<10))
}

// EndlessChunks is a chunked body of tiny chunks, without end.
func EndlessChunks(h Host) string {
	h.Helper()
	return flood(h, headChunked, strings.Repeat("1\r\nx\r\n", 1000))
}

// EndlessJSON is a list of numbers without end.
func EndlessJSON(h Host) string {
	h.Helper()
	return flood(h, headClose+"[0", strings.Repeat(",0", 10_000))
}

// JSONList is a list of so many numbers.
func JSONList(h Host, n int) string {
	h.Helper()
	return answer(h, headClose+"[0"+strings.Repeat(",0", n-1)+"]", fin)
}

// zeros is 64 MiB of nothing, compressed.
var zeros = sync.OnceValue(func() string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	nothing := make([]byte, 1<<20)
	for range 64 {
		_, _ = w.Write(nothing) // a buffer takes everything
	}
	_ = w.Close()
	return packed.String()
})

// GzipBomb answers with 10 GiB of nothing, in 10 MB of gzip.
func GzipBomb(h Host) string {
	h.Helper()
	body := strings.Repeat(zeros(), 10<<30/(64<<20)) // members follow each other, RFC 1952 section 2.2
	return answer(h, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(body),
		body), hang)
}

// BrotliBombHTTP2 answers over HTTP/2 with 100 GiB of zeros, in 0.2 MB of brotli, all of which fit into the client's
// window. To decompress them takes minutes.
func BrotliBombHTTP2(h Host) string {
	h.Helper()
	body := brotliZeros(100 << 30 / (16 << 20))
	return TLSHandler(h, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		_, _ = io.WriteString(w, body) // the client's end is the client's business
	}), "h2")
}

// brotliZeros is a stream of so many times 16 MiB of zeros, and twice more. A flush ends at a full byte (RFC 7932
// section 9.2), and what follows the first flush can be repeated.
func brotliZeros(times int) string {
	var packed bytes.Buffer
	w := brotli.NewWriter(&packed)
	piece := make([]byte, 16<<20)
	var flushed [2]int
	for i := range flushed {
		_, _ = w.Write(piece) // a buffer takes everything
		_ = w.Flush()
		flushed[i] = packed.Len()
	}
	_ = w.Close()
	stream := packed.String()
	again := strings.Repeat(stream[flushed[0]:flushed[1]], times)
	return stream[:flushed[0]] + again + stream[flushed[1]:]
}

// BrotliWindow sends the first 64 KiB of a block of 16 MiB that is not compressed, with a window of 16 MiB (RFC 7932
// sections 9.1 and 9.2), which has the decoder make room for all of it.
func BrotliWindow(h Host) string {
	h.Helper()
	return answer(h, headClose+"\xcf\xff\xff\xff"+strings.Repeat("x", 64<<10), hang)
}

// EndlessBodyHTTP2 is a body over HTTP/2 that does not end.
func EndlessBodyHTTP2(h Host) string {
	h.Helper()
	return TLSHandler(h, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for piece := strings.Repeat("x", 64<<10); err == nil; {
			_, err = io.WriteString(w, piece)
		}
	}), "h2")
}

// ManyNames is an HTTPS server whose certificate is good, and has 5,000 other names beside.
func ManyNames(h Host) string {
	h.Helper()
	crowded := issue(lab(), func(c *x509.Certificate) {
		for i := range 5000 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("host-%d.many.lab.test", i))
		}
	})
	return overTLS(h, func(c *tls.Config) { c.Certificates = []tls.Certificate{crowded} },
		func(conn *tls.Conn, _ *net.TCPConn) {
			if readRequest(conn) {
				_, _ = io.WriteString(conn, okClose) // the client's end is the client's business
			}
		})
}

// NotText answers with bytes that are no UTF-8, and with control characters, wherever HTTP lets it.
func NotText(h Host) string {
	h.Helper()
	return answer(h, "HTTP/1.1 500 \xff\xfe\x1b[31m\r\nContent-Type: text/\xc3\x28\r\nX-\xe2\x82: a\r\nServer: "+
		"\x1b]0;title\x07\xf0\x28\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00\x1b", fin)
}
