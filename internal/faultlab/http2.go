package faultlab

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// stream is a server's side of an HTTP/2 connection whose client has sent a request's headers.
type stream struct {
	*http2.Framer
	conn *tls.Conn
	raw  *net.TCPConn
	id   uint32

	uncompressed bool // send header fields as they are
}

// serveH2 speaks HTTP/2 up to the headers of the first request and then does what handle says.
func serveH2(h Host, handle func(*stream)) string {
	h.Helper()
	return "https://" + serveTLS(h, secured("h2"), func(conn *tls.Conn, raw *net.TCPConn) {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(conn, preface); err != nil {
			return
		}
		s := &stream{Framer: http2.NewFramer(conn, conn), conn: conn, raw: raw}
		if s.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20}) == nil && s.awaitHeaders() {
			handle(s)
		}
	}) + "/"
}

// awaitHeaders reads frames up to a request's headers, and acknowledges settings.
func (s *stream) awaitHeaders() bool {
	for {
		frame, err := s.ReadFrame()
		if err != nil {
			return false
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() && s.WriteSettingsAck() != nil {
				return false
			}
		case *http2.HeadersFrame:
			s.id = f.StreamID
			return true
		}
	}
}

// ending says whether a frame is the last of its stream (RFC 9113 section 5.1, END_STREAM).
type ending bool

const (
	more ending = false
	last ending = true
)

// headers sends a response's head: status 200 and the fields given as name, value, ….
func (s *stream) headers(end ending, fields ...string) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	if s.uncompressed {
		encoder.SetMaxDynamicTableSize(0)
	}
	_ = encoder.WriteField(hpack.HeaderField{Name: ":status", Value: "200"}) // a buffer takes everything
	for i := 0; i+1 < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	s.block(end, block.Bytes())
}

// partOfBody sends a head that announces 1000 bytes, and a part of them.
func (s *stream) partOfBody(end ending) {
	s.headers(more, "content-length", "1000")
	_ = s.WriteData(s.id, bool(end), []byte(some))
}

func (s *stream) hang()  { waitGone(s.conn) }
func (s *stream) fin()   { fin(s.raw) }
func (s *stream) reset() { reset(s.raw) }

// H2GoAwayNoError answers with GOAWAY NO_ERROR that leaves our stream out: a server that drains.
func H2GoAwayNoError(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) { _ = s.WriteGoAway(0, http2.ErrCodeNo, nil); s.hang() })
}

// H2GoAwayDrains answers with GOAWAY NO_ERROR that covers our stream, and nothing more: a server that drains while its
// application hangs.
func H2GoAwayDrains(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) { _ = s.WriteGoAway(1, http2.ErrCodeNo, nil); s.hang() })
}

// H2GoAwayThenFin answers with GOAWAY INTERNAL_ERROR that covers our stream, and a FIN.
func H2GoAwayThenFin(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) { _ = s.WriteGoAway(1, http2.ErrCodeInternal, nil); s.fin() })
}

// H2GoAwayThenReset answers with GOAWAY INTERNAL_ERROR that covers our stream, and a RST.
func H2GoAwayThenReset(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) { _ = s.WriteGoAway(1, http2.ErrCodeInternal, nil); s.reset() })
}

// H2EnhanceYourCalm answers with GOAWAY ENHANCE_YOUR_CALM.
func H2EnhanceYourCalm(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		_ = s.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm,
			[]byte("too_many"))
		s.hang()
	})
}

// H2StreamReset answers with RST_STREAM.
func H2StreamReset(h Host, code http2.ErrCode) string {
	h.Helper()
	return serveH2(h, func(s *stream) { _ = s.WriteRSTStream(s.id, code); s.hang() })
}

// H2StreamResetMidBody sends part of a body and RST_STREAM.
func H2StreamResetMidBody(h Host, code http2.ErrCode) string {
	h.Helper()
	return serveH2(h, func(s *stream) { s.partOfBody(more); _ = s.WriteRSTStream(s.id, code); s.hang() })
}

// H2Silent exchanges settings and never answers.
func H2Silent(h Host) string { h.Helper(); return serveH2(h, (*stream).hang) }

// H2HTTP1Answer negotiates h2 and answers in HTTP/1.1.
func H2HTTP1Answer(h Host) string {
	h.Helper()
	return "https://" + serveTLS(h, secured("h2"), func(conn *tls.Conn, _ *net.TCPConn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		waitGone(conn)
	}) + "/"
}

// H2BadFrame answers with DATA on stream 0, which is a connection error (RFC 9113 section 6.1).
func H2BadFrame(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		_ = s.WriteRawFrame(http2.FrameData, 0, 0, []byte(some))
		s.hang()
	})
}

// hugeHead is 2 MiB of header fields.
func hugeHead() []string {
	var fields []string
	for range 2100 {
		fields = append(fields, "x-filler", strings.Repeat("xyz~", 250))
	}
	return fields
}

// H2HugeHeaders answers with 2 MiB of header fields, in as many bytes on the wire.
func H2HugeHeaders(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		s.uncompressed = true
		s.headers(last, hugeHead()...)
		s.hang()
	})
}

// H2HugeHeadersCompressed answers with 2 MiB of header fields that HPACK makes 3 KiB of.
func H2HugeHeadersCompressed(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) { s.headers(last, hugeHead()...); s.hang() })
}

// H2ResetAfterRequest reads the headers and resets the TCP connection.
func H2ResetAfterRequest(h Host) string { h.Helper(); return serveH2(h, (*stream).reset) }

// H2FinAfterRequest reads the headers and sends a FIN.
func H2FinAfterRequest(h Host) string { h.Helper(); return serveH2(h, (*stream).fin) }

// H2ResetMidUpload reads part of an upload and resets the TCP connection.
func H2ResetMidUpload(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		for read := 0; read < 32<<10; {
			frame, err := s.ReadFrame()
			if err != nil {
				return
			}
			if data, ok := frame.(*http2.DataFrame); ok {
				read += len(data.Data())
			}
		}
		s.reset()
	})
}

// H2ResetMidBody sends part of a body and resets the TCP connection.
func H2ResetMidBody(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) { s.partOfBody(more); s.reset() })
}

// H2FinMidBody sends part of a body and a FIN.
func H2FinMidBody(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) { s.partOfBody(more); s.fin() })
}

// H2ShortBody ends the stream before the announced length; the connection stays.
func H2ShortBody(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) { s.partOfBody(last); s.hang() })
}

// H2StallMidBody sends part of a body and then nothing.
func H2StallMidBody(h Host) string {
	h.Helper()
	return serveH2(h, func(s *stream) { s.partOfBody(more); s.hang() })
}

// H2Mute shakes hands and sends no frame, not even SETTINGS.
func H2Mute(h Host) string {
	h.Helper()
	return "https://" + serveTLS(h, secured("h2"), func(conn *tls.Conn, _ *net.TCPConn) { waitGone(conn) }) + "/"
}

// H2Status answers with this :status, and no body.
func H2Status(h Host, status string) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		var block bytes.Buffer
		// a buffer takes everything
		_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: status})
		s.block(last, block.Bytes())
		s.hang()
	})
}

// H2GoAwaySays answers with GOAWAY INTERNAL_ERROR and debug data.
func H2GoAwaySays(h Host, text string) string {
	h.Helper()
	return serveH2(h, func(s *stream) { _ = s.WriteGoAway(0, http2.ErrCodeInternal, []byte(text)); s.hang() })
}
