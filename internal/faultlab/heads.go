package faultlab

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Servers whose heads have a given size, in as few fields as a record would still show.

// longValue is the value of their fields.
var longValue = strings.Repeat("x", 4000)

// fieldsFor is how many fields come to n bytes, each with so many bytes besides its value.
func fieldsFor(n, besides int) int {
	return (n + len(longValue) + besides - 1) / (len(longValue) + besides)
}

// H2HeadOf answers with a head of n bytes over HTTP/2, each field counted as RFC 9113 section 6.5.2 does: 32 bytes more
// than name and value have.
func H2HeadOf(h Host, n int) string {
	h.Helper()
	var fields []string
	for range fieldsFor(n, len("x-filler")+32) {
		fields = append(fields, "x-filler", longValue)
	}
	return serveH2(h, func(s *stream) { s.headers(last, fields...); s.hang() })
}

// ConnectHeadOf answers CONNECT with a head of n bytes, and ends the connection.
func ConnectHeadOf(h Host, n int) string {
	h.Helper()
	field := "Field: " + longValue + "\r\n"
	return answerAsk(h, "HTTP/1.1 200 OK\r\n"+strings.Repeat(field, fieldsFor(n, len(field)-len(longValue)))+"\r\n",
		fin)
}

// HTTP3HeadOf answers over HTTP/3 with a head of n bytes, each field counted as RFC 9114 section 4.2.2 does.
func HTTP3HeadOf(h Host, n int) string {
	h.Helper()
	return responding(h, http3Head(http3Fields(n)), (*quicStream).finish)
}

// HTTP3TrailerOf answers over HTTP/3 with a small head, a small body, and a trailer of n bytes.
func HTTP3TrailerOf(h Host, n int) string {
	h.Helper()
	return responding(h, http3Head("")+"\x00\x02ok"+http3Block("\x00\x00"+http3Fields(n)), (*quicStream).finish)
}

// HTTP3ManyFieldsInTrailer answers over HTTP/3 with a small head, a small body, and a trailer of so many fields.
func HTTP3ManyFieldsInTrailer(h Host, n int) string {
	h.Helper()
	return responding(h, http3Head("")+"\x00\x02ok"+http3Block("\x00\x00"+strings.Repeat("\xcb", n)),
		(*quicStream).finish)
}

// http3Head is a frame HEADERS of a response 200 with more fields.
func http3Head(fields string) string { return http3Block("\x00\x00\xd9" + fields) }

// http3Block is a frame HEADERS (RFC 9114 section 7.2.2), its length in four bytes.
func http3Block(block string) string {
	return "\x01" + string(binary.BigEndian.AppendUint32(nil, 0x80000000|uint32(len(block)))) + block
}

// http3Fields are n bytes of literal fields of the static name link (RFC 9204 section 4.5.4), not compressed.
func http3Fields(n int) string {
	return strings.Repeat("\x5b\x7f\xa1\x1e"+longValue, fieldsFor(n, len("link")+32))
}

// CertificateOf is an HTTPS server whose certificate is good, and has about n bytes.
func CertificateOf(h Host, n int) string {
	h.Helper()
	crowded := issue(lab(), func(c *x509.Certificate) {
		for i := range n / 28 { // 26 bytes, and two before them
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("server-%05d.many.lab.test", i))
		}
	})
	return overTLS(h, func(c *tls.Config) { c.Certificates = []tls.Certificate{crowded} },
		func(conn *tls.Conn, _ *net.TCPConn) {
			if readRequest(conn) {
				_, _ = io.WriteString(conn, okClose) // the client's end is the client's business
			}
		})
}

// DNSOverHTTPSWithHead is DNSOverHTTPS whose answers have n bytes more of header fields.
func DNSOverHTTPSWithHead(h Host, names map[string][]netip.Addr, n int) string {
	h.Helper()
	return TLSHandler(h, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		WriteHead(w, n)
		answerHTTPS(w, r, answerFrom(names))
	}), "http/1.1") + "dns-query"
}

// WriteHead adds n bytes of fields to a response.
func WriteHead(w http.ResponseWriter, n int) {
	for range fieldsFor(n, len("X-Filler: \r\n")) {
		w.Header().Add("X-Filler", longValue)
	}
}
