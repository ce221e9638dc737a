package web

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCorked: an answer arrives in one segment, in every format. net/http by itself writes 4 KiB and then the rest.
func TestCorked(t *testing.T) {
	server := exporter(t, slog.New(slog.DiscardHandler))
	target := api(t)
	for _, row := range []struct{ name, accept string }{
		{"text", "text/plain"},
		{"OpenMetrics", "application/openmetrics-text;version=1.0.0"},
		{"protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"},
	} {
		t.Run(row.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "GET /probe?target=%s HTTP/1.1\r\nHost: exporter\r\nAccept: %s\r\n\r\n", target.URL, row.accept)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusOK || len(body) < 5<<10 {
				t.Errorf("status %d with %d bytes, %v, want 200 and more than 5 KiB", response.StatusCode, len(body), err)
			}
			if n := segments(t, conn); n != 1 {
				t.Errorf("the answer came in %d segments, want 1", n)
			}
		})
	}
}

// segments is how many segments with data have arrived.
func segments(t *testing.T, conn net.Conn) uint32 {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var failed error
	if err := raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return info.Data_segs_in
}
