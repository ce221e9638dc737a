// Package bench is what the benchmarks of several packages share: a server in a process of its own, so that the CPU
// time of the benchmark's process is the client's alone, and that time.
package bench

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
)

// variable makes a test binary the server.
const variable = "ERRNO_EXPORTER_BENCH_SERVER"

// ServeIfAsked is the server, and reports true when it has ended, if this process was started as one. Every TestMain of
// a package with benchmarks begins with it.
func ServeIfAsked() bool {
	if os.Getenv(variable) == "" {
		return false
	}
	serve()
	return true
}

// Delayed is a path that is answered after 50 ms, as by an API that is not next door.
const Delayed = "/delayed"

// Slow is a path that is answered after 5 s.
const Slow = "/slow"

// serve serves 1 KiB of JSON over HTTP, HTTPS with HTTP/1.1, HTTPS with HTTP/2 and HTTP/3 until standard input ends. It
// prints the URLs and the root of its certificate, which is ECDSA by an authority between, as most of the Web's are.
func serve() {
	body := []byte(`{"data":"` + strings.Repeat("x", 1013) + `"}`)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == Delayed {
			time.Sleep(50 * time.Millisecond)
		}
		if r.URL.Path == Slow {
			time.Sleep(5 * time.Second)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) // the client's end is the client's business
	})
	secure := &tls.Config{Certificates: []tls.Certificate{faultlab.ChainCertificate(time.Now().Add(24 * time.Hour))}}
	plain, first, second := httptest.NewServer(handler), httptest.NewUnstartedServer(handler),
		httptest.NewUnstartedServer(handler)
	retry := httptest.NewUnstartedServer(handler)
	first.TLS, second.TLS = secure, secure.Clone()
	first.StartTLS()
	second.EnableHTTP2 = true
	second.StartTLS()
	retry.TLS = secure.Clone()
	retry.TLS.CurvePreferences = []tls.CurveID{tls.CurveP256} // for which no client sends a key share at once
	retry.StartTLS()
	third, err := serveThird(secure, handler)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(plain.URL, first.URL, second.URL, retry.URL, third)
	_, _ = os.Stdout.Write(faultlab.RootsPEM()) // the parent's end is its business
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// Server is a server in another process.
type Server struct {
	HTTP, HTTPS1, HTTPS2 string // URLs; HTTPS2 speaks HTTP/2
	HTTPSRetry           string // HTTP/1.1, and a TLS 1.3 handshake of two round trips (HelloRetryRequest)
	HTTP3                string
	RootPEM              []byte
	Roots                *x509.CertPool
}

// Start starts the server. It ends with the benchmark.
func Start(b testing.TB) Server {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), variable+"=1")
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
	s := Server{Roots: x509.NewCertPool()}
	lines := bufio.NewReader(stdout)
	if _, err := fmt.Fscan(lines, &s.HTTP, &s.HTTPS1, &s.HTTPS2, &s.HTTPSRetry, &s.HTTP3); err != nil {
		b.Fatal(err)
	}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		if line == "ready\n" {
			break
		}
		s.RootPEM = append(s.RootPEM, line...)
	}
	s.Roots.AppendCertsFromPEM(s.RootPEM)
	return s
}

// Config watches a number of targets, api-0 and so on, at one of the server's URLs.
func (s Server) Config(b testing.TB, url string, targets int) *config.Config {
	b.Helper()
	var text strings.Builder
	text.WriteString("modules:\n" + faultlab.Module("api", 10*time.Second, s.RootPEM) + "targets:\n")
	for i := range targets {
		fmt.Fprintf(&text, "  - {name: api-%d, url: %q, module: api}\n", i, url)
	}
	c, err := config.Parse([]byte(text.String()), "bench", ".")
	if err != nil {
		b.Fatal(err)
	}
	return c
}
