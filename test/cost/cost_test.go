// Package cost puts whole programs side by side: the exporter, a bare server that does the same network work, one that
// does it without net/http's client, and blackbox_exporter. Each is a process of its own, asked over HTTP as Prometheus
// asks.
//
//	go test ./test/cost -run '^$' -bench Cost -benchtime 1x
package cost

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
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/bench"
	"errno_exporter/internal/faultlab"
)

// bareMode makes the test binary a bare server: "client" or "raw", with the roots' file.
const bareMode = "ERRNO_EXPORTER_BARE"

var exporter string

func TestMain(m *testing.M) {
	if mode := os.Getenv(bareMode); mode != "" {
		serveBare(mode, os.Args[1], os.Args[2])
		return
	}
	if bench.ServeIfAsked() {
		return
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "errno_exporter")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		exporter = filepath.Join(dir, "errno_exporter")
		if out, err := exec.Command("go", "build", "-o", exporter, "../..").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %s\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// serveBare answers /probe by the same network work, and twenty-five series that are rendered by append.
func serveBare(mode, address, rootsFile string) {
	roots := x509.NewCertPool()
	if text, err := os.ReadFile(rootsFile); err == nil {
		roots.AppendCertsFromPEM(text)
	}
	b := bare{bench.NewBare(&tls.Config{RootCAs: roots}), mode == "raw"}
	http.HandleFunc("/probe", b.probe)
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(w, "go_memstats_mallocs_total %d\ngo_memstats_alloc_bytes_total %d\n", m.Mallocs, m.TotalAlloc)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(address, nil))
	os.Exit(1)
}

type bare struct {
	client *bench.Bare
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
	if err := b.get(ctx, u); err != nil {
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
	command func(address, dir string) *exec.Cmd
	module  string
	skip    func(work string) bool
}

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
	module := "modules: {bench: {prober: http, timeout: 20s, http: {preferred_ip_protocol: ip4, tls_config: " +
		"{ca_file: " + roots + "}}}}\n"
	ours, theirs := file("exporter.yml", module), file("blackbox.yml", module)
	bareServer := func(mode string) func(string, string) *exec.Cmd {
		return func(address, _ string) *exec.Cmd {
			c := exec.Command(os.Args[0], address, roots)
			c.Env = append(os.Environ(), bareMode+"="+mode)
			return c
		}
	}
	all := []program{
		{"errno_exporter", func(address, _ string) *exec.Cmd {
			return exec.Command(exporter, "--config.file="+ours, "--web.listen-address="+address, "--log.level=error")
		}, "bench", nil},
		{"bare", bareServer("client"), "bench", nil},
		{"raw", bareServer("raw"), "bench", func(work string) bool { return work == "https2" }},
	}
	if path, err := exec.LookPath("prometheus-blackbox-exporter"); err == nil {
		all = append(all, program{"blackbox_exporter", func(address, _ string) *exec.Cmd {
			return exec.Command(path, "--config.file="+theirs, "--web.listen-address="+address, "--log.level=error")
		}, "bench", nil})
	}
	return all
}

func pemOf(server *bench.Server) []byte {
	block, _ := pem.Decode(server.RootPEM)
	return pem.EncodeToMemory(block)
}

// rounds are how often all programs are measured in turn, so that whatever else the machine does meets them alike.
// Their medians are reported.
const (
	rounds         = 5
	probesOfARound = 1500
)

// BenchmarkCost reports of each program, in a fresh process, what a probe takes: CPU time, objects and bytes allocated,
// and the most memory.
func BenchmarkCost(b *testing.B) {
	server := bench.Start(b)
	all := programs(b, &server)
	for _, work := range []struct{ name, url string }{{"http", server.HTTP}, {"https1", server.HTTPS1},
		{"https2", server.HTTPS2}} {
		for _, concurrency := range []int{1, 50, 500} {
			b.Run(fmt.Sprintf("%s/%d", work.name, concurrency), func(b *testing.B) {
				var together []*measured
				for _, p := range all {
					if p.skip == nil || !p.skip(work.name) {
						together = append(together, &measured{running: run(b, &p, b.TempDir()), name: p.name})
					}
				}
				for _, m := range together {
					m.ask(b, work.url, concurrency, 500) // warm
				}
				for b.Loop() {
					for range rounds {
						for _, m := range together {
							m.round(b, work.url, concurrency)
						}
					}
				}
				for _, m := range together {
					m.report(b)
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// measured is a program and what was measured of it, by round.
type measured struct {
	*running
	name                string
	cpu, objects, bytes []float64 // microseconds, of a probe
}

func (m *measured) round(b *testing.B, url string, concurrency int) {
	b.Helper()
	objects, bytes := m.counter(b, "go_memstats_mallocs_total"), m.counter(b, "go_memstats_alloc_bytes_total")
	cpu := m.cpuTime(b) // being asked for counters takes time, too
	m.ask(b, url, concurrency, probesOfARound)
	m.cpu = append(m.cpu, float64((m.cpuTime(b)-cpu).Nanoseconds())/1000/probesOfARound)
	m.objects = append(m.objects, (m.counter(b, "go_memstats_mallocs_total")-objects)/probesOfARound)
	m.bytes = append(m.bytes, (m.counter(b, "go_memstats_alloc_bytes_total")-bytes)/probesOfARound)
}

func (m *measured) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(median(m.cpu), m.name+"-cpu-µs/probe")
	b.ReportMetric(median(m.objects), m.name+"-objects/probe")
	b.ReportMetric(median(m.bytes)/1024, m.name+"-KiB/probe")
	b.ReportMetric(m.memory(b, "VmHWM")/1024, m.name+"-MiB")
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// BenchmarkWaiting reports the memory of 1,000 probes that wait at once.
func BenchmarkWaiting(b *testing.B) {
	server := bench.Start(b)
	for _, work := range []struct{ name, url string }{{"http", server.HTTP}, {"https1", server.HTTPS1},
		{"https2", server.HTTPS2}} {
		for _, p := range programs(b, &server) {
			if p.skip != nil && p.skip(work.name) {
				continue
			}
			b.Run(work.name+"/"+p.name, func(b *testing.B) {
				r := run(b, &p, b.TempDir())
				for b.Loop() {
					r.ask(b, work.url+bench.Slow, 1000, 1000)
				}
				b.ReportMetric(r.memory(b, "VmHWM")/1024, "MiB")
			})
		}
	}
}

// BenchmarkManyTargets reports the memory of the exporter after 10,000 probes over as many targets, and after ten and
// twenty times as many.
func BenchmarkManyTargets(b *testing.B) {
	server := bench.Start(b)
	p := programs(b, &server)[0]
	r := run(b, &p, b.TempDir())
	for b.Loop() {
		for round := range 20 {
			r.askEach(b, 50, 10_000, func(i int) string { return fmt.Sprintf("%s/?n=%d", server.HTTP, i) })
			if round == 0 || round == 9 || round == 19 {
				b.ReportMetric(r.memory(b, "VmRSS")/1024, fmt.Sprintf("MiB-after-%d", (round+1)*10_000))
			}
		}
	}
}

// running is a program in its process.
type running struct {
	*exec.Cmd
	address, module string
	client          *http.Client
}

func run(b *testing.B, p *program, dir string) *running {
	b.Helper()
	address := faultlab.UnusedAddress(b)
	r := &running{p.command(address, dir), address, p.module,
		&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}}}
	r.Stderr = os.Stderr
	if err := r.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Process.Kill(); _ = r.Wait(); r.client.CloseIdleConnections() })
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return r
		}
		time.Sleep(20 * time.Millisecond) // until another program listens
	}
	b.Fatalf("%s does not listen", p.name)
	return nil
}

func (r *running) ask(b *testing.B, target string, concurrency, n int) {
	b.Helper()
	r.askEach(b, concurrency, n, func(int) string { return target })
}

// askEach asks for n probes, so many at a time. All must succeed.
func (r *running) askEach(b *testing.B, concurrency, n int, target func(int) string) {
	b.Helper()
	var asking sync.WaitGroup
	next := make(chan int)
	for range concurrency {
		asking.Go(func() {
			for i := range next {
				response, err := r.client.Get("http://" + r.address + "/probe?module=" + r.module + "&target=" +
					url.QueryEscape(target(i)))
				if err != nil {
					b.Error(err)
					continue
				}
				body, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || !strings.Contains(string(body), "probe_success 1\n") {
					b.Errorf("probe %d: %v, no success in\n%s", i, err, body)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	asking.Wait()
}

// cpuTime is the CPU time that the process' threads took so far (proc(5), schedstat).
func (r *running) cpuTime(b *testing.B) time.Duration {
	b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", r.Process.Pid))
	if err != nil || len(files) == 0 {
		b.Fatalf("no threads: %v", err)
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		ran, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(n)
	}
	return sum
}

// counter is a counter of the process' own metrics.
func (r *running) counter(b *testing.B, name string) float64 {
	b.Helper()
	response, err := r.client.Get("http://" + r.address + "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if found == nil {
		b.Fatalf("no %s in\n%s", name, text)
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// memory is a line of the process' status, in KiB.
func (r *running) memory(b *testing.B, line string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + line + `:\s+(\d+) kB$`).FindSubmatch(text)
	if found == nil {
		b.Fatalf("no %s in\n%s", line, text)
	}
	n, _ := strconv.Atoi(string(found[1]))
	return float64(n)
}
