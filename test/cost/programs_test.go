package cost

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/internal/bench"
	"errno_exporter/internal/schedule"
)

// bareMode makes the test binary a bare server: "client" or "raw", with the roots' file.
const bareMode = "ERRNO_EXPORTER_BARE"

// serveBare answers /probe by the same network work, and twenty-five series that are rendered by append.
func serveBare(mode, rootsFile string) {
	roots := x509.NewCertPool()
	if text, err := os.ReadFile(rootsFile); err == nil {
		roots.AppendCertsFromPEM(text)
	}
	b := bare{bench.NewBare(&tls.Config{RootCAs: roots}), bench.NewBareHTTP3(&tls.Config{RootCAs: roots}), mode == "raw"}
	http.HandleFunc("/probe", b.probe)
	http.HandleFunc("/paced", b.paced)
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(w, "go_memstats_mallocs_total %d\ngo_memstats_alloc_bytes_total %d\n", m.Mallocs, m.TotalAlloc)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		fmt.Fprintf(os.Stderr, "msg=\"Listening on\" address=%s\n", l.Addr())
		err = http.Serve(l, nil)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

type bare struct {
	client *bench.Bare
	third  *bench.BareHTTP3
	raw    bool
}

func (b *bare) probe(w http.ResponseWriter, r *http.Request) {
	u, err := url.Parse(r.URL.Query().Get("target"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	ok := 1
	get := b.get
	if r.URL.Query().Get("module") == moduleHTTP3 {
		get = b.third.Get
	}
	if err := get(ctx, u); err != nil {
		ok = 0
	}
	var text []byte
	for i := range 25 {
		text = fmt.Appendf(text, "# HELP probe_metric_%d Something that was measured.\n# TYPE probe_metric_%d "+
			"gauge\nprobe_metric_%d %d\n", i, i, i, ok)
	}
	text = fmt.Appendf(text, "probe_success %d\n", ok)
	_, _ = w.Write(text)
}

// paced makes n probes, of which so many start together.
func (b *bare) paced(w http.ResponseWriter, r *http.Request) {
	u, err := url.Parse(r.FormValue("target"))
	every, err2 := time.ParseDuration(r.FormValue("every"))
	n, err3 := strconv.Atoi(r.FormValue("n"))
	together, err4 := strconv.Atoi(r.FormValue("together"))
	if err := errors.Join(err, err2, err3, err4); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var probing sync.WaitGroup
	var failed atomic.Int64
	pacer := schedule.NewPacer(every, together)
	for range n {
		pacer.Wait()
		probing.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if b.get(ctx, u) != nil {
				failed.Add(1)
			}
		})
	}
	probing.Wait()
	if n := failed.Load(); n > 0 {
		http.Error(w, fmt.Sprint(n, " failed"), http.StatusInternalServerError)
	}
}

// get does without net/http's client where that is wanted.
func (b *bare) get(ctx context.Context, u *url.URL) error {
	if !b.raw {
		return b.client.Get(ctx, u)
	}
	conn, err := b.client.Connect(ctx, u, "http/1.1")
	if err != nil {
		return err
	}
	defer conn.Close()
	request := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{"User-Agent": {"raw"}}, Close: true}
	if err := request.Write(conn); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// program is one that answers /probe.
type program struct {
	name    string
	command func() *exec.Cmd
	module  string
	skip    func(work string) bool
}

// moduleHTTP3 is the module of probes over HTTP/3.
const moduleHTTP3 = "third"

func programs(b *testing.B, server *bench.Server) []program {
	dir := b.TempDir()
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, pemOf(server), 0o600); err != nil {
		b.Fatal(err)
	}
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	module := "modules:\n  bench: {prober: http, timeout: 20s, http: {preferred_ip_protocol: ip4, tls_config: " +
		"{ca_file: " + roots + "}}}\n"
	third := "  " + moduleHTTP3 + ": {prober: http, timeout: 20s, http: {preferred_ip_protocol: ip4, enable_http2: false, " +
		"enable_http3: true, tls_config: {ca_file: " + roots + "}}}\n"
	ours, theirs := file("exporter.yml", module+third), file("blackbox.yml", module)
	bareServer := func(mode string) func() *exec.Cmd {
		return func() *exec.Cmd {
			c := exec.Command(os.Args[0], roots)
			c.Env = append(os.Environ(), bareMode+"="+mode)
			return c
		}
	}
	all := []program{
		{"errno_exporter", func() *exec.Cmd {
			return exec.Command(exporter, "--config.file="+ours, "--web.listen-address=127.0.0.1:0")
		}, "bench", nil},
		{"bare", bareServer("client"), "bench", nil},
		{"raw", bareServer("raw"), "bench", func(work string) bool { return work == "https2" || work == "http3" }},
	}
	if path, err := exec.LookPath("prometheus-blackbox-exporter"); err == nil {
		all = append(all, program{"blackbox_exporter", func() *exec.Cmd {
			return exec.Command(path, "--config.file="+theirs, "--web.listen-address=127.0.0.1:0")
		}, "bench", func(work string) bool { return work == "http3" }}) // which Debian's does not speak
	}
	return all
}

func pemOf(server *bench.Server) []byte {
	block, _ := pem.Decode(server.RootPEM)
	return pem.EncodeToMemory(block)
}
