package web

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Whoever connects and sends nothing, or keeps a connection without a request, makes room for who has one; a request
// under way is never cut off.
func TestConnectionsAreBounded(t *testing.T) {
	const limit, crowd = 8, 40
	for _, row := range []struct {
		name  string
		start func(*httptest.Server)
		idle  func(t *testing.T, conn net.Conn) // what those of the crowd do
	}{
		{"they send nothing", (*httptest.Server).Start, func(*testing.T, net.Conn) {}},
		{"they send half of a head", (*httptest.Server).Start,
			func(_ *testing.T, conn net.Conn) { _, _ = io.WriteString(conn, "GET / HTTP/1.1\r\n") }},
		{"they send a head without its body", (*httptest.Server).Start, func(_ *testing.T, conn net.Conn) {
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
		}},
		{"they have had an answer", (*httptest.Server).Start, getOn},
		{"they send nothing over TLS", (*httptest.Server).StartTLS, func(*testing.T, net.Conn) {}},
		{"they have had an answer over TLS", (*httptest.Server).StartTLS, func(t *testing.T, conn net.Conn) {
			getOn(t, tls.Client(conn, &tls.Config{InsecureSkipVerify: true}))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var closed atomic.Int64
			connections := NewConnections(limit, func() { closed.Add(1) })
			arrived, release := make(chan struct{}), make(chan struct{})
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					arrived <- struct{}{}
					<-release
				}
			}))
			connections.Bound(server.Config)
			row.start(server)
			answer := sync.OnceFunc(func() { close(release) })
			t.Cleanup(func() { answer(); server.CloseClientConnections(); server.Close() })
			address := server.Listener.Addr().String()
			client := &http.Client{Timeout: time.Minute,
				Transport: &http.Transport{DisableKeepAlives: true,
					TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			slow := make(chan error, 1)
			go func() {
				response, err := client.Get(server.URL + "/slow")
				if err == nil {
					err = response.Body.Close()
				}
				slow <- err
			}()
			<-arrived
			for range crowd {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = conn.Close() })
				row.idle(t, conn)
			}
			response, err := client.Get(server.URL + "/")
			if err != nil {
				t.Fatalf("a request beside the crowd: %v", err)
			}
			_ = response.Body.Close()
			if n := connections.Open(); n > limit {
				t.Errorf("%d connections are open, want at most %d", n, limit)
			}
			if n := closed.Load(); n < crowd-limit {
				t.Errorf("%d connections made room, want at least %d", n, crowd-limit)
			}
			answer()
			if err := <-slow; err != nil {
				t.Errorf("the request under way: %v", err)
			}
		})
	}
}

// getOn asks once, and keeps the connection.
func getOn(t *testing.T, conn net.Conn) {
	t.Helper()
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") // what fails shows in the answer
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}
