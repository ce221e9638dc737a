package faultlab

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Heads of many fields, which take a client much more memory than they have bytes.

// ManyFields answers with so many empty fields, the first 10,000 of them with names of their own.
func ManyFields(h Host, n int) string {
	h.Helper()
	return answer(h, "HTTP/1.1 200 OK\r\nConnection: close\r\n"+emptyFields(n)+"\r\n", fin)
}

func emptyFields(n int) string {
	const named = 10_000
	var b strings.Builder
	for i := range min(n, named) {
		b.WriteString("A" + strconv.FormatInt(int64(i), 36) + ":\r\n")
	}
	return b.String() + strings.Repeat("A:\r\n", max(0, n-named))
}

// ManyFieldsAfterFold answers with so many fields behind one that is continued by a line of a space alone (RFC 9112
// section 5.2).
func ManyFieldsAfterFold(h Host, n int) string {
	h.Helper()
	return answer(h, "HTTP/1.1 200 OK\r\nConnection: close\r\nFolded: a\r\n \r\n"+emptyFields(n)+"\r\n", fin)
}

// ManyFieldsIn1xx answers with ten 103 of so many fields each before the final response. Their status lines have more
// spaces than they should.
func ManyFieldsIn1xx(h Host, n int) string {
	h.Helper()
	return answer(h, strings.Repeat("HTTP/1.1   103 Early Hints\r\n"+emptyFields(n)+"\r\n", 10)+headClose+some, fin)
}

// ReasonPhrase answers 500 with a reason phrase of so many bytes.
func ReasonPhrase(h Host, n int) string {
	h.Helper()
	return answer(h, "HTTP/1.1 500 "+strings.Repeat("x", n)+"\r\nContent-Length: 0\r\n\r\n", fin)
}

// ConnectManyFields answers CONNECT with 200 and so many fields.
func ConnectManyFields(h Host, n int) string {
	h.Helper()
	return answerAsk(h, "HTTP/1.1 200 OK\r\n"+emptyFields(n)+"\r\n", hang)
}

// H2ManyFields answers with so many fields of one byte each: entries of HPACK's static table (RFC 7541 appendix A).
func H2ManyFields(h Host, n int) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		s.block(last, append([]byte{status200}, bytes.Repeat([]byte{acceptCharset}, n)...))
		s.hang()
	})
}

// H2ManyFieldsInTrailer answers with an empty body and a trailer of so many fields.
func H2ManyFieldsInTrailer(h Host, n int) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		s.headers(more)
		s.block(last, bytes.Repeat([]byte{acceptCharset}, n))
		s.hang()
	})
}

// H2PaddedFields answers with so many fields, each by itself in a padded frame of its own or in one that continues it:
// a 200 with n literals.
func H2PaddedFields(h Host, n int) string {
	h.Helper()
	return serveH2(h, func(s *stream) {
		var block bytes.Buffer
		encoder := hpack.NewEncoder(&block)
		_ = encoder.WriteField(hpack.HeaderField{Name: ":status", Value: "200"}) // a buffer takes everything
		for i := range n {
			_ = encoder.WriteField(hpack.HeaderField{Name: "a" + strconv.Itoa(i), Value: strings.Repeat("v", i%300),
				Sensitive: i%2 == 0})
		}
		_ = s.WriteHeaders(http2.HeadersFrameParam{
			StreamID: s.id, BlockFragment: block.Next(7), PadLength: 200, EndStream: true,
			Priority: http2.PriorityParam{Weight: 1},
		})
		for block.Len() > 0 {
			fragment := block.Next(1000)
			_ = s.WriteContinuation(s.id, block.Len() == 0, fragment)
		}
		s.hang()
	})
}

// Indexed fields of HPACK's static table.
const (
	status200     = 0x88
	acceptCharset = 0x8f // with an empty value
)

// block sends a field block as it is.
func (s *stream) block(end ending, block []byte) {
	const most = 16 << 10 // SETTINGS_MAX_FRAME_SIZE at first
	left := bytes.NewBuffer(block)
	fragment := left.Next(most)
	_ = s.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: fragment, EndStream: bool(end),
		EndHeaders: left.Len() == 0})
	for left.Len() > 0 {
		fragment := left.Next(most)
		_ = s.WriteContinuation(s.id, left.Len() == 0, fragment)
	}
}

// HTTP3ManyFields answers with so many fields of one byte each, fewer than 16,000: entries of QPACK's static table (RFC
// 9204 appendix A).
func HTTP3ManyFields(h Host, n int) string {
	h.Helper()
	block := "\x00\x00\xd9" + strings.Repeat("\xc2", n) // no dynamic table, :status 200, age: 0
	length := []byte{0x40 | byte(len(block)>>8), byte(len(block))}
	return responding(h, "\x01"+string(length)+block, (*quicStream).finish)
}

// BigHead answers 500 with a head of nearly 1 MiB, within every bound of fields.
func BigHead(h Host) string {
	h.Helper()
	var b strings.Builder
	for i := range 900 {
		b.WriteString("Field-" + strconv.Itoa(i) + ": " + strings.Repeat("x", 1000) + "\r\n")
	}
	return answer(h, "HTTP/1.1 500 No\r\n"+b.String()+"Content-Length: 0\r\n\r\n", fin)
}

// bigField is a value of 1,000 bytes.
func bigField() string { return strings.Repeat("x", 1000) }

// H2BigHead answers with a head of 900 KB over HTTP/2.
func H2BigHead(h Host) string {
	h.Helper()
	var fields []string
	for i := range 900 {
		fields = append(fields, "field-"+strconv.Itoa(i), bigField())
	}
	return serveH2(h, func(s *stream) { s.headers(last, fields...); s.hang() })
}

// ConnectBigHead answers CONNECT with a head of 900 KB.
func ConnectBigHead(h Host) string {
	h.Helper()
	return answerAsk(h, "HTTP/1.1 200 OK\r\n"+strings.Repeat("Field: "+bigField()+"\r\n", 900)+"\r\n", hang)
}

// RedirectsWithCookies redirects to itself again and again, each time with more cookies, so that requests grow.
func RedirectsWithCookies(h Host) string {
	h.Helper()
	return Handler(h, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 50 {
			w.Header().Add("Set-Cookie", "c"+r.URL.RawQuery+"-"+strconv.Itoa(i)+"="+strings.Repeat("x",
				4000)+"; Path=/")
		}
		w.Header().Set("Location", "/?"+r.URL.RawQuery+"1")
		w.WriteHeader(http.StatusFound)
	}))
}

// RedirectsWithBigHeads redirects to itself again and again, with a head of nearly 1 MiB and a Location of nearly 8
// KiB.
func RedirectsWithBigHeads(h Host) string {
	h.Helper()
	var b strings.Builder
	for i := range 900 {
		b.WriteString("Field-" + strconv.Itoa(i) + ": " + strings.Repeat("x", 1000) + "\r\n")
	}
	return answer(h, "HTTP/1.1 302 Found\r\nLocation: /"+strings.Repeat("l",
		8000)+"\r\n"+b.String()+"Content-Length: 0\r\n\r\n", fin)
}
