package faultlab

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// Servers that send without end what brings the response no further. Each sends it many at a time, so that it costs
// the client more than the server.

// batch is how many bytes are written at once.
const batch = 16 << 10

// repeated is a piece, as often as a batch holds it.
func repeated(piece string) string { return strings.Repeat(piece, max(1, batch/len(piece))) }

// Empty pieces of each compression, which hold nothing.
const (
	EmptyDeflateBlock  = "\x00\x00\x00\xff\xff" // stored, of length 0 (RFC 1951 section 3.2.4)
	EmptyBrotliBlock   = "\x06"                 // metadata of length 0 (RFC 7932 section 9.2)
	emptyBrotliStarted = "\x0c"                 // the same behind the stream's window size
)

// GzipMember is a gzip member that holds a text.
func GzipMember(text string) string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, text) // a buffer takes everything
	_ = w.Close()
	return packed.String()
}

// FloodOfGzip is a body of gzip members that hold a text each, without end.
func FloodOfGzip(h Host, text string) string {
	h.Helper()
	return flood(h, headClose, repeated(GzipMember(text)))
}

// FloodOfDeflate is a body of empty blocks.
func FloodOfDeflate(h Host) string {
	h.Helper()
	return flood(h, headClose, repeated(EmptyDeflateBlock))
}

// FloodOfBrotli is a body of empty metadata blocks.
func FloodOfBrotli(h Host) string {
	h.Helper()
	return flood(h, headClose+emptyBrotliStarted, repeated(EmptyBrotliBlock))
}

// FloodOfChunkExtensions is a body of one byte a chunk, each with an extension of 1 KB.
func FloodOfChunkExtensions(h Host) string {
	h.Helper()
	return flood(h, headChunked, repeated("1;"+strings.Repeat("x", 1000)+"\r\nx\r\n"))
}

// FloodOfTrailers ends a body of chunks with trailer fields that do not end.
func FloodOfTrailers(h Host) string {
	h.Helper()
	return flood(h, headChunked+"1\r\nx\r\n0\r\n", repeated("A: b\r\n"))
}

// Frame is an HTTP/2 frame as it is sent (RFC 9113 section 4.1). On stream 1 is the client's request.
func Frame(kind http2.FrameType, flags http2.Flags, streamID uint32, payload string) string {
	length := len(payload)
	head := []byte{byte(length >> 16), byte(length >> 8), byte(length), byte(kind), byte(flags)}
	return string(binary.BigEndian.AppendUint32(head, streamID)) + payload
}

// FloodOfFrames answers with a frame or none, and then with others without end. It takes what the client answers.
func FloodOfFrames(h Host, first, again string) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		go s.hang() // ends with the connection
		pour(s.conn, first, repeated(again))
	})
}

// IdleFloodOfPings answers a request with 200, and after a time it sends PINGs without end.
func IdleFloodOfPings(h Host, after time.Duration) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		go s.hang()
		s.headers(last, "content-length", "0")
		pause(after)
		pour(s.conn, "", repeated(Frame(http2.FramePing, 0, 0, "12345678")))
	})
}

// SmallFrames answers with a body of n bytes in DATA frames of a size. It sends 512 KiB before the client grants more
// (RFC 9113 section 5.2), which is less than the first window of every client here.
func SmallFrames(h Host, n, size int) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		s.headers(more)
		frames := repeated(Frame(http2.FrameData, 0, s.id, strings.Repeat("x", size)))
		payload := len(frames) / (9 + size) * size
		granted := 512 << 10
		for sent := 0; sent < n; sent += payload {
			for sent+payload > granted {
				frame, err := s.ReadFrame()
				if err != nil {
					return
				}
				if more, ok := frame.(*http2.WindowUpdateFrame); ok && more.StreamID == s.id {
					granted += int(more.Increment)
				}
			}
			if _, err := io.WriteString(s.conn, frames); err != nil {
				return
			}
		}
		_ = s.WriteData(s.id, true, nil)
		s.hang()
	})
}

// PingsThenAnswers sends n PINGs and answers then.
func PingsThenAnswers(h Host, n int) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		if _, err := io.WriteString(s.conn, strings.Repeat(Frame(http2.FramePing, 0, 0, "12345678"), n)); err == nil {
			s.headers(last, "content-length", "0")
			s.hang()
		}
	})
}

// SmallWindow takes an upload over HTTP/2, and grants its client so many bytes more with each WINDOW_UPDATE for the
// stream and for the connection.
func SmallWindow(h Host, step int) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		for {
			frame, err := s.ReadFrame()
			if err != nil {
				return
			}
			data, ok := frame.(*http2.DataFrame)
			if !ok {
				continue
			}
			if data.StreamEnded() {
				s.headers(last, "content-length", "0")
				continue
			}
			var updates bytes.Buffer
			f := http2.NewFramer(&updates, nil)
			for left := len(data.Data()); left > 0; left -= step {
				_ = f.WriteWindowUpdate(0, uint32(min(step, left))) // a buffer takes everything
				_ = f.WriteWindowUpdate(s.id, uint32(min(step, left)))
			}
			if _, err := s.conn.Write(updates.Bytes()); err != nil {
				return
			}
		}
	})
}

// SmallChunks answers with a body of n bytes in chunks of a size, each written by itself.
func SmallChunks(h Host, n, size int) string {
	h.Helper()
	return Handler(h, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		flusher := http.NewResponseController(w)
		piece := []byte(strings.Repeat("x", size))
		for left := n; left > 0; left -= size {
			_, _ = w.Write(piece) // the client's end is the client's business
			if flusher.Flush() != nil {
				return
			}
		}
	}))
}

// FloodOfAnswers answers every question over UDP with answers to another one: tens of thousands, since the kernel drops
// what its client has no room for.
func FloodOfAnswers(h Host) string {
	h.Helper()
	l, conn := listenDNS(h)
	address := serveOn(h, l, func(*net.TCPConn) {})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			question := make([]byte, 1<<10)
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			question[0]++ // of the ID
			running.Go(func() {
				for range 50_000 {
					_, _ = conn.WriteTo(question[:n], from) // fails where the client has closed its socket
				}
			})
		}
	})
	h.Cleanup(func() {
		_ = conn.Close() // ends the reading
		running.Wait()
	})
	return address
}

// FloodOverHTTPS is a DNS server over HTTPS that answers with HTTP/2 PINGs.
func FloodOverHTTPS(h Host) string {
	h.Helper()
	return FloodOfFrames(h, "", Frame(http2.FramePing, 0, 0, "12345678"))
}
