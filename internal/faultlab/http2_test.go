package faultlab_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"errno_exporter/internal/faultlab"
)

// converseH2 asks by HTTP/2 for /, with a body of n bytes, and returns what answers, a frame a line, and the end.
// SETTINGS and WINDOW_UPDATE, which any server may send, are left out.
func converseH2(t *testing.T, target string, body int, within time.Duration) []string {
	t.Helper()
	conn, err := tls.Dial("tcp", hostPort(t, target),
		&tls.Config{RootCAs: faultlab.Roots(), NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	failed := askH2(conn, framer, fields(t), body)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.MaxHeaderListSize = 64 << 10
	framer.SetMaxReadFrameSize(16 << 10)
	var lines []string
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return append(lines, endH2(firstOf(failed, err))) // the kernel tells of a RST once only
		}
		if line := describe(frame); line != "" {
			lines = append(lines, line)
		}
	}
}

// askH2 sends a request's head and body, and returns the first error.
func askH2(conn io.Writer, framer *http2.Framer, head []byte, body int) error {
	_, failed := io.WriteString(conn, http2.ClientPreface)
	failed = firstOf(failed, framer.WriteSettings())
	failed = firstOf(failed, framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: head, EndHeaders: true, EndStream: body == 0,
	}))
	for ; body > 0; body -= 8 << 10 {
		failed = firstOf(failed, framer.WriteData(1, false, make([]byte, 8<<10)))
	}
	return failed
}

func firstOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// endH2 is end, and names an error that a framer found.
func endH2(err error) string {
	if bad, ok := errors.AsType[http2.ConnectionError](err); ok {
		return "connection error " + http2.ErrCode(bad).String()
	}
	return end(err)
}

func fields(t *testing.T) []byte {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "lab.test"},
		{":path", "/"}} {
		if err := encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			t.Fatal(err)
		}
	}
	return block.Bytes()
}

func describe(frame http2.Frame) string {
	switch f := frame.(type) {
	case *http2.SettingsFrame, *http2.WindowUpdateFrame:
		return ""
	case *http2.GoAwayFrame:
		return fmt.Sprintf("GOAWAY last %d %s", f.LastStreamID, f.ErrCode)
	case *http2.RSTStreamFrame:
		return fmt.Sprintf("RST_STREAM %d %s", f.StreamID, f.ErrCode)
	case *http2.MetaHeadersFrame:
		return fmt.Sprintf("HEADERS %d status %s truncated %t end %t", f.StreamID, f.PseudoValue("status"), f.Truncated,
			f.StreamEnded())
	case *http2.DataFrame:
		return fmt.Sprintf("DATA %d %q end %t", f.StreamID, f.Data(), f.StreamEnded())
	}
	return frame.Header().String()
}

func TestHTTP2(t *testing.T) {
	const (
		head = "HEADERS 1 status 200 truncated false end false"
		part = `DATA 1 "some of the body" end false`
		get  = 0
		post = 48 << 10 // within the window that a server opens at first
	)
	for _, row := range []struct {
		name  string
		serve server
		body  int
		want  []string
	}{
		{"H2GoAwayNoError", faultlab.H2GoAwayNoError, get, []string{"GOAWAY last 0 NO_ERROR", silence}},
		{"H2GoAwayDrains", faultlab.H2GoAwayDrains, get, []string{"GOAWAY last 1 NO_ERROR", silence}},
		{"H2GoAwayThenFin", faultlab.H2GoAwayThenFin, get, []string{"GOAWAY last 1 INTERNAL_ERROR", closed}},
		{"H2GoAwayThenReset", faultlab.H2GoAwayThenReset, get, []string{"GOAWAY last 1 INTERNAL_ERROR", aborted}},
		{"H2EnhanceYourCalm", faultlab.H2EnhanceYourCalm, get, []string{"GOAWAY last 0 ENHANCE_YOUR_CALM", silence}},
		{"H2StreamReset", with(faultlab.H2StreamReset, http2.ErrCodeRefusedStream), get,
			[]string{"RST_STREAM 1 REFUSED_STREAM", silence}},
		{"H2StreamResetMidBody", with(faultlab.H2StreamResetMidBody, http2.ErrCodeInternal), get,
			[]string{head, part, "RST_STREAM 1 INTERNAL_ERROR", silence}},
		{"H2Silent", faultlab.H2Silent, get, []string{silence}},
		{"H2HTTP1Answer", faultlab.H2HTTP1Answer, get,
			[]string{"http2: failed reading the frame payload: http2: frame too large, note that the frame header " +
				"looked like an HTTP/1.1 header"}},
		{"H2BadFrame", faultlab.H2BadFrame, get, []string{"connection error PROTOCOL_ERROR"}},
		{"H2HugeHeadersCompressed", faultlab.H2HugeHeadersCompressed, get,
			[]string{"HEADERS 1 status 200 truncated true end true", silence}},
		{"H2HugeHeaders", faultlab.H2HugeHeaders, get, []string{"connection error PROTOCOL_ERROR"}},
		{"H2ResetAfterRequest", faultlab.H2ResetAfterRequest, get, []string{aborted}},
		{"H2FinAfterRequest", faultlab.H2FinAfterRequest, get, []string{closed}},
		{"H2ResetMidUpload", faultlab.H2ResetMidUpload, post, []string{aborted}},
		{"H2ResetMidBody", faultlab.H2ResetMidBody, get, []string{head, part, aborted}},
		{"H2FinMidBody", faultlab.H2FinMidBody, get, []string{head, part, closed}},
		{"H2ShortBody", faultlab.H2ShortBody, get, []string{head, `DATA 1 "some of the body" end true`, silence}},
		{"H2StallMidBody", faultlab.H2StallMidBody, get, []string{head, part, silence}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			target := row.serve(t)
			got := converseH2(t, target, row.body, wait(row.want[len(row.want)-1]))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("converseH2(%s) (-want +got):\n%s", target, diff)
			}
		})
	}
}
