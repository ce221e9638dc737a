package prober_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/prober"
)

// The benchmarks put a probe beside a bare client that does the same network work: a fresh TCP connection, a full TLS handshake with a
// verified certificate, one GET, the body read. The server is a process of its own, so that cpu-ns/op is the client's alone.
//
//	go test ./prober -run '^$' -bench . -benchtime 3s

// benchServerVariable makes the test binary the server of the benchmarks.
const benchServerVariable = "ERRNO_EXPORTER_BENCH_SERVER"

// serveBench serves 1 KiB of JSON over HTTP, HTTPS with HTTP/1.1 and HTTPS with HTTP/2 until standard input ends. It prints the
// URLs and the certificate.
func serveBench() {
	body := []byte(`{"data":"` + strings.Repeat("x", 1013) + `"}`)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) // the client's end is the client's business
	})
	plain := httptest.NewServer(handler)
	first := httptest.NewTLSServer(handler)
	second := httptest.NewUnstartedServer(handler)
	second.EnableHTTP2 = true
	second.StartTLS()
	fmt.Println(plain.URL, first.URL, second.URL)
	_ = pem.Encode(os.Stdout, &pem.Block{Type: "CERTIFICATE", Bytes: first.Certificate().Raw})
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

type benchServer struct {
	urls  [3]string
	roots *x509.CertPool
}

func startBenchServer(b *testing.B) benchServer {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), benchServerVariable+"=1")
	stdin, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	s := benchServer{roots: x509.NewCertPool()}
	lines := bufio.NewReader(stdout)
	if _, err := fmt.Fscan(lines, &s.urls[0], &s.urls[1], &s.urls[2]); err != nil {
		b.Fatal(err)
	}
	var certificate strings.Builder
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		if line == "ready\n" {
			break
		}
		certificate.WriteString(line)
	}
	s.roots.AppendCertsFromPEM([]byte(certificate.String()))
	return s
}

func BenchmarkProbe(b *testing.B) {
	server := startBenchServer(b)
	for i, protocol := range []string{"http", "https1", "https2"} {
		module := config.NewModule("bench")
		module.TLS.RootCAs = server.roots
		module.Timeout = 10 * time.Second
		target, err := prober.ParseTarget(server.urls[i])
		if err != nil {
			b.Fatal(err)
		}
		p := prober.New(prober.Options{UserAgent: "errno_exporter"})
		b.Run(protocol+"/probe", func(b *testing.B) {
			measureCPU(b, func() error {
				r := p.Probe(context.Background(), target, module)
				if r.Failure != nil {
					return r.Failure.Err
				}
				return nil
			})
		})
		bare := newBareClient(target.URL, module.TLS)
		b.Run(protocol+"/bare", func(b *testing.B) { measureCPU(b, bare.get) })
	}
}

// measureCPU runs f b.N times and reports the process's CPU time of each.
func measureCPU(b *testing.B, f func() error) {
	b.Helper()
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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
