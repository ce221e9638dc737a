package faultlab_test

import (
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
)

// get asks for a URL without following redirects, and without asking for compression.
func get(t *testing.T, target, name string) (*http.Response, string) {
	t.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: faultlab.Roots(), ServerName: name},
	}
	response, err := transport.RoundTrip(mustRequest(t, target))
	if err != nil {
		t.Fatalf("RoundTrip(%s): %v", target, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("read the body of %s: %v", target, err)
	}
	return response, string(body)
}

func mustRequest(t *testing.T, target string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func TestHealthy(t *testing.T) {
	const healthy = `{"status":"ok"}`
	first := func(h faultlab.Host) string { h.Helper(); return faultlab.Handler(h, faultlab.Healthy) }
	over := func(protocols ...string) server {
		return func(h faultlab.Host) string {
			h.Helper()
			return faultlab.TLSHandler(h, faultlab.Healthy, protocols...)
		}
	}
	for _, row := range []struct {
		name     string
		serve    server
		status   int
		proto    string
		location string
		body     string
	}{
		{"HTTP", first, 200, "HTTP/1.1", "", healthy},
		{"HTTPS", over("http/1.1"), 200, "HTTP/1.1", "", healthy},
		{"HTTP/2", over("h2", "http/1.1"), 200, "HTTP/2.0", "", healthy},
		{"HTTP/1.0", faultlab.HTTP10, 200, "HTTP/1.0", "", some},
		{"Status", func(h faultlab.Host) string { return faultlab.Status(h, 503, "Location", "/later") }, 503,
			"HTTP/1.1", "/later", ""},
		{"Redirects", func(h faultlab.Host) string { return faultlab.Redirects(h) + "2" }, 302, "HTTP/1.1", "/1",
			"<a href=\"/1\">Found</a>.\n\n"},
		{"Redirects, the last", func(h faultlab.Host) string { return faultlab.Redirects(h) + "0" }, 200, "HTTP/1.1",
			"", healthy},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			response, body := get(t, row.serve(t), "localhost")
			got := []any{response.StatusCode, response.Proto, response.Header.Get("Location"), body}
			want := []any{row.status, row.proto, row.location, row.body}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("get (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEcho(t *testing.T) {
	target := faultlab.TLSHandler(t, faultlab.Echo, "h2", "http/1.1")
	_, body := get(t, target+"a?b=c", "api.lab.test")
	var got faultlab.Seen
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := faultlab.Seen{
		Method: "GET", URI: "/a?b=c", Proto: "HTTP/2.0", Host: hostPort(t, target), ServerName: "api.lab.test",
		Header: http.Header{"User-Agent": {"Go-http-client/2.0"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Seen (-want +got):\n%s", diff)
	}
}

func TestCompressed(t *testing.T) {
	response, body := get(t, faultlab.Compressed(t, "gzip", faultlab.Gzipped("all of it")), "localhost")
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if got := response.Header.Get("Content-Encoding") + " " + string(text); got != "gzip all of it" || err != nil {
		t.Errorf("Compressed = %q, %v, want %q", got, err, "gzip all of it")
	}
}

func TestTruncatedGzip(t *testing.T) {
	_, body := get(t, faultlab.TruncatedGzip(t), "localhost")
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("reading the gzip stream: %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

// TestInformationalThenOK: the final response comes when it is released, not before.
func TestInformationalThenOK(t *testing.T) {
	release := make(chan struct{})
	target := faultlab.InformationalThenOK(t, release)
	conn, err := net.Dial("tcp", hostPort(t, target))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	before := talk(t, conn, ask, patience)
	close(release)
	after := talk(t, conn, "", ample)
	want := []seen{{hints, silence}, {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + some, closed}}
	if diff := cmp.Diff(want, []seen{before, after}); diff != "" {
		t.Errorf("talk (-want +got):\n%s", diff)
	}
}

// TestHugeHeads: the head has no end within its first 2 MiB.
func TestHugeHeads(t *testing.T) {
	for _, serve := range []server{faultlab.HugeHead, faultlab.ConnectHugeHead} {
		target := serve(t)
		conn, err := net.Dial("tcp", hostPort(t, target))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, ask); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 2<<20)
		if _, err := io.ReadFull(conn, head); err != nil || strings.Contains(string(head), "\r\n\r\n") {
			t.Errorf("the head of %s ends within %d bytes, %v", target, len(head), err)
		}
	}
}

// TestNeverReads: an upload stops when the buffers on the way are full.
func TestNeverReads(t *testing.T) {
	conn, err := net.Dial("tcp", hostPort(t, faultlab.NeverReads(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	n, err := conn.Write(make([]byte, 64<<20))
	if n == 64<<20 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write took %d bytes, %v, want fewer than all, %v", n, err, os.ErrDeadlineExceeded)
	}
}

// TestClientCertificateRequired13: the client's handshake is done when its lack of a certificate is answered.
func TestClientCertificateRequired13(t *testing.T) {
	conn, err := tls.Dial("tcp", hostPort(t, faultlab.ClientCertificateRequired13(t)),
		&tls.Config{RootCAs: faultlab.Roots()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := talk(t, conn, "", ample)
	if diff := cmp.Diff(seen{"", "remote error: tls: certificate required"}, got); diff != "" {
		t.Errorf("talk (-want +got):\n%s", diff)
	}
}

// TestManyAtOnce: one server misbehaves alike to 200 clients at once.
func TestManyAtOnce(t *testing.T) {
	target := faultlab.ResetMidBody(t)
	got := make([]seen, 200)
	var clients sync.WaitGroup
	for i := range got {
		clients.Go(func() { got[i] = converse(t, target, ask, ample) })
	}
	clients.Wait()
	for i := range got {
		if diff := cmp.Diff(seen{length + some, aborted}, got[i]); diff != "" {
			t.Errorf("client %d (-want +got):\n%s", i, diff)
		}
	}
}
