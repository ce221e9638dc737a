package cost

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/bench"
)

// running is a program in its process.
type running struct {
	*exec.Cmd
	address, module string
	client          *http.Client
}

func run(b *testing.B, p *program) *running {
	b.Helper()
	command := p.command()
	r := &running{command, bench.Listening(b, command), p.module,
		&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}}}
	b.Cleanup(r.client.CloseIdleConnections)
	return r
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
	return time.Duration(r.threads(b, "schedstat", regexp.MustCompile(`^(\d+)`)))
}

// sleeps is how many times its threads gave up their CPU to wait, so that something had to wake them (proc(5), status).
func (r *running) sleeps(b *testing.B) float64 {
	b.Helper()
	return float64(r.threads(b, "status", regexp.MustCompile(`(?m)^voluntary_ctxt_switches:\s+(\d+)$`)))
}

// threads is the sum of a number in a file of each of the process' threads.
func (r *running) threads(b *testing.B, file string, number *regexp.Regexp) (sum int64) {
	b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/%s", r.Process.Pid, file))
	if err != nil || len(files) == 0 {
		b.Fatalf("no threads: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		found := number.FindSubmatch(text)
		if found == nil {
			b.Fatalf("%s: no %s in\n%s", file, number, text)
		}
		n, err := strconv.ParseInt(string(found[1]), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += n
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
