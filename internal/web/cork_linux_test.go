package web

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCorked: an answer arrives in one segment, in every format. net/http by itself writes 4 KiB and then the rest.
func TestCorked(t *testing.T) {
	long := strings.Repeat("x", 500)
	plain := serveText(t, labModule()+fmt.Sprintf("targets:\n  - {name: api, url: %q, module: api, labels: {a: %s, b: %s, "+
		"c: %s, d: %s}}\n", api(t).URL, long, long, long, long))
	secure := httptest.NewUnstartedServer(plain.Config.Handler)
	secure.Config.ConnContext = ConnContext
	secure.StartTLS()
	defer secure.Close()
	inTLS := func(conn net.Conn) net.Conn { // of version 1.2, in which nothing comes by itself after the handshake
		return tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	}
	asItIs := func(conn net.Conn) net.Conn { return conn }
	const openMetrics, protobuf = "application/openmetrics-text;version=1.0.0",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	for _, row := range []struct {
		name, accept string
		server       *httptest.Server
		over         func(net.Conn) net.Conn
	}{
		{"text", "text/plain", plain, asItIs},
		{"OpenMetrics", openMetrics, plain, asItIs},
		{"protobuf", protobuf, plain, asItIs},
		{"text over TLS", "text/plain", secure, inTLS},
		{"OpenMetrics over TLS", openMetrics, secure, inTLS},
		{"protobuf over TLS", protobuf, secure, inTLS},
	} {
		t.Run(row.name, func(t *testing.T) {
			socket, err := net.Dial("tcp", row.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer socket.Close()
			conn := row.over(socket)
			if _, err := conn.Write(nil); err != nil { // TLS shakes hands
				t.Fatal(err)
			}
			before := segments(t, socket)
			fmt.Fprintf(conn, "GET /probe?target=api HTTP/1.1\r\nHost: exporter\r\nAccept: %s\r\n\r\n", row.accept)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusOK || len(body) < 5<<10 {
				t.Errorf("status %d with %d bytes, %v, want 200 and more than 5 KiB", response.StatusCode, len(body),
					err)
			}
			if n := segments(t, socket) - before; n != 1 {
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
	if err := raw.Control(func(fd uintptr) {
		info,
			failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return info.Data_segs_in
}
