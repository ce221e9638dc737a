package faultlab

import (
	"crypto/rand"
	"io"
	"net"
	"strings"
)

// FloodOfHTTP3Frames answers with bytes on the request's stream, and then with others without end.
func FloodOfHTTP3Frames(h Host, first, again string) string {
	h.Helper()
	return serveQUIC(h, nil, func(s *quicStream) {
		_, err := io.WriteString(s, first)
		for more := repeated(again); err == nil; {
			_, err = io.WriteString(s, more)
		}
	})
}

// HTTP/3 frames that hold nothing (RFC 9114 sections 7.2.1 and 7.2.8), and the head of a response with status 200.
const (
	HTTP3Head      = http3OK
	HTTP3EmptyData = "\x00\x00"
	HTTP3Grease    = "\x21\x00"
	HTTP3OneByte   = "\x00\x01x"
)

// SmallHTTP3Frames answers with a body of n bytes in DATA frames of a size, which is less than 64.
func SmallHTTP3Frames(h Host, n, size int) string {
	h.Helper()
	return responding(h, HTTP3Head+strings.Repeat("\x00"+string(rune(size))+strings.Repeat("x", size), n/size),
		(*quicStream).finish)
}

// FloodOfHTTP3Control opens its control stream, and sends frames there that nobody knows.
func FloodOfHTTP3Control(h Host) string {
	h.Helper()
	return serveQUIC(h, nil, func(s *quicStream) {
		control, err := s.conn.OpenUniStream()
		if err != nil {
			return
		}
		_, err = io.WriteString(control, "\x00\x04\x00") // a control stream, empty SETTINGS
		for more := repeated(HTTP3Grease); err == nil; {
			_, err = io.WriteString(control, more)
		}
	})
}

// FloodOfHTTP3Streams opens unidirectional streams of a kind that nobody knows, as many as the client lets it.
func FloodOfHTTP3Streams(h Host) string {
	h.Helper()
	return serveQUIC(h, nil, func(s *quicStream) {
		for {
			stream, err := s.conn.OpenUniStreamSync(s.conn.Context())
			if err != nil {
				return
			}
			_, _ = io.WriteString(stream, HTTP3Grease)
			_ = stream.Close()
		}
	})
}

// FloodOfDatagrams sends datagrams that look like packets of the connection and cannot be decrypted, from the request
// on.
func FloodOfDatagrams(h Host) string {
	h.Helper()
	return serveQUIC(h, nil, func(s *quicStream) {
		garbage := make([]byte, 1200)
		_, _ = rand.Read(garbage) // never fails
		garbage[0] = 0x40         // a short header (RFC 9000 section 17.3)
		for s.conn.Context().Err() == nil {
			if _, err := s.socket.PacketConn.WriteTo(garbage, s.conn.RemoteAddr()); err != nil {
				return
			}
		}
	})
}

// FloodBeforeHandshake answers the first datagram of a connection with garbage, without end.
func FloodBeforeHandshake(h Host) string {
	h.Helper()
	socket := newUDPSocket(h)
	go func() { // ends with the socket, which the host closes
		packet := make([]byte, 2048)
		_, from, err := socket.ReadFrom(packet)
		for err == nil {
			_, err = socket.PacketConn.WriteTo(packet[:40], from.(*net.UDPAddr))
		}
	}()
	return socket.url()
}
