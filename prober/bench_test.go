package prober_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/bench"
	"errno_exporter/prober"
)

// The benchmarks put a probe beside a bare client that does the same network work: a fresh TCP connection, a full TLS handshake with a
// verified certificate, one GET, the body read. The server is a process of its own, so that cpu-ns/op is the client's alone.
//
//	go test ./prober -run '^$' -bench . -benchtime 3s

func BenchmarkProbe(b *testing.B) {
	server := bench.Start(b)
	for _, row := range []struct{ protocol, url string }{{"http", server.HTTP}, {"https1", server.HTTPS1}, {"https2", server.HTTPS2}} {
		module := config.NewModule("bench")
		module.TLS.RootCAs = server.Roots
		module.Timeout = 10 * time.Second
		target, err := prober.ParseTarget(row.url)
		if err != nil {
			b.Fatal(err)
		}
		p := prober.New(prober.Options{UserAgent: "errno_exporter"})
		b.Run(row.protocol+"/probe", func(b *testing.B) {
			measureCPU(b, func() error {
				r := p.Probe(context.Background(), target, module)
				if r.Failure != nil {
					return r.Failure.Err
				}
				return nil
			})
		})
		if capture, err := prober.OpenCapture(); err == nil { // where we may
			captured := prober.New(prober.Options{UserAgent: "errno_exporter", Capture: capture})
			b.Run(row.protocol+"/captured", func(b *testing.B) {
				measureCPU(b, func() error {
					r := captured.Probe(context.Background(), target, module)
					if r.Failure != nil {
						return r.Failure.Err
					}
					return nil
				})
			})
			capture.Close()
		}
		bare := newBareClient(target.URL, module.TLS)
		b.Run(row.protocol+"/bare", func(b *testing.B) { measureCPU(b, bare.get) })
	}
}

// measureCPU runs f b.N times and reports the process's CPU time of each.
func measureCPU(b *testing.B, f func() error) {
	b.Helper()
	b.ReportAllocs()
	before := bench.CPU(b)
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((bench.CPU(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// bareClient does what a probe does on the network and keeps nothing: no recorder, no evidence, no deadline.
type bareClient struct {
	url       *url.URL
	tls       *tls.Config
	transport *http.Transport
}

type bareConnKey struct{}

func newBareClient(u *url.URL, c *tls.Config) *bareClient {
	prepared := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return ctx.Value(bareConnKey{}).(net.Conn), nil
	}
	c = c.Clone()
	c.ServerName = u.Hostname()
	return &bareClient{url: u, tls: c, transport: &http.Transport{
		DialContext: prepared, DialTLSContext: prepared, ForceAttemptHTTP2: true, DisableCompression: true, IdleConnTimeout: 500 * time.Millisecond,
	}}
}

func (c *bareClient) get() error {
	conn, err := net.Dial("tcp", c.url.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	if c.url.Scheme == "https" {
		secured := tls.Client(conn, c.tls)
		if err := secured.Handshake(); err != nil {
			return err
		}
		conn = secured
	}
	client, err := c.transport.NewClientConn(context.WithValue(context.Background(), bareConnKey{}, conn), c.url.Scheme, c.url.Host)
	if err != nil {
		return err
	}
	defer client.Close()
	request := &http.Request{Method: http.MethodGet, URL: c.url, Header: http.Header{"User-Agent": {"bare"}}, Close: true}
	response, err := client.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
