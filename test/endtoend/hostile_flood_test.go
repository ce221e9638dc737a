package endtoend

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"errno_exporter/internal/faultlab"
)

// hostileRow is a hostile server, and the module to probe it with.
type hostileRow struct{ name, target, module string }

// floodRows are servers that send without end what brings the response no further, one of each kind.
func floodRows(t *testing.T) []hostileRow {
	head := faultlab.Frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, "\x88") // :status 200
	return []hostileRow{
		{"HTTP/2 PING", faultlab.FloodOfFrames(t, "", faultlab.Frame(http2.FramePing, 0, 0, "12345678")), "plain"},
		{"HTTP/2 SETTINGS", faultlab.FloodOfFrames(t, "", faultlab.Frame(http2.FrameSettings, 0, 0, "")), "plain"},
		{"HTTP/2 frames that nobody knows", faultlab.FloodOfFrames(t, "", faultlab.Frame(0xbb, 0, 0, "")), "plain"},
		{"HTTP/2 padding", faultlab.FloodOfFrames(t, head,
			faultlab.Frame(http2.FrameData, http2.FlagDataPadded, 1, "\xff"+strings.Repeat("\x00", 255))), "plain"},
		{"TLS tickets", faultlab.FloodOfTickets(t), "plain"},
		{"TLS key updates", faultlab.FloodOfKeyUpdates(t), "plain"},
		{"TLS records of one byte", faultlab.FloodOfTinyRecords(t), "plain"},
		{"gzip members", faultlab.FloodOfGzip(t, ""), "gzip"},
		{"deflate blocks", faultlab.FloodOfDeflate(t), "deflate"},
		{"brotli blocks", faultlab.FloodOfBrotli(t), "br"},
		{"HTTP/3 frames that nobody knows", faultlab.FloodOfHTTP3Frames(t, "", faultlab.HTTP3Grease), "http3"},
		{"HTTP/3 bodies of one byte a frame", faultlab.FloodOfHTTP3Frames(t, faultlab.HTTP3Head, faultlab.HTTP3OneByte),
			"http3"},
		{"HTTP/3 streams", faultlab.FloodOfHTTP3Streams(t), "http3"},
		{"QUIC packets", faultlab.FloodOfDatagrams(t), "http3"},
	}
}
