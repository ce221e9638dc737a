package endtoend

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// A scrape under way at SIGTERM is answered in full; meanwhile the exporter is not ready and takes no other. It ends
// with 0.
func TestDrain(t *testing.T) {
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	d := runDaemon(t, configured(faultlab.Handler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}))), "", "--shutdown-timeout=1m")
	d.signal(t, syscall.SIGHUP)
	d.told(t, "RELOADING=1")
	d.told(t, "READY=1")
	type answer struct {
		status int
		body   string
	}
	scraped := make(chan answer, 1)
	go func() {
		status, body := d.get(t, "/metrics")
		scraped <- answer{status, body}
	}()
	<-arrived
	d.signal(t, syscall.SIGTERM)
	d.told(t, "STOPPING=1")
	eventually(t, "/-/ready is 503", func() (string, bool) {
		status, body := d.get(t, "/-/ready")
		return body, status == http.StatusServiceUnavailable
	})
	if status, _ := d.get(t, "/-/healthy"); status != http.StatusOK {
		t.Errorf("/-/healthy while draining: %d, want 200", status)
	}
	if status, body := d.get(t, "/metrics"); status != http.StatusServiceUnavailable ||
		body != "errno_exporter is shutting down\n" {
		t.Errorf("a new scrape while draining: %d %q, want 503", status, body)
	}
	close(release)
	if got := <-scraped; got.status != http.StatusOK ||
		!strings.Contains(got.body, "\nprobe_success{target=\"api\"} 1\n") {
		t.Errorf("the scrape under way: %d, want 200 and a success:\n%s", got.status, got.body)
	}
	if err := d.Wait(); err != nil {
		t.Errorf("the exporter ended with %v, want 0", err)
	}
}

// A scrape that takes longer than --shutdown-timeout is cut off, and the exporter still ends with 0.
func TestDrainEnds(t *testing.T) {
	arrived := make(chan struct{}, 1)
	d := runDaemon(t, configured(faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))), "", "--shutdown-timeout=200ms")
	cut := make(chan error, 1)
	go func() {
		response, err := http.Get("http://" + d.address + "/metrics")
		if err == nil {
			_ = response.Body.Close()
		}
		cut <- err
	}()
	<-arrived
	d.signal(t, syscall.SIGINT)
	if err := d.Wait(); err != nil {
		t.Errorf("the exporter ended with %v, want 0", err)
	}
	if <-cut == nil {
		t.Error("the scrape was answered, want it cut off")
	}
}

// With 128 descriptors a scrape of 300 targets waits for descriptors: none of the probes fails for lack of them.
func TestDescriptorsSuffice(t *testing.T) {
	var under, most atomic.Int64
	url := faultlab.Handler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		for now := under.Add(1); ; {
			if seen := most.Load(); now <= seen || most.CompareAndSwap(seen, now) {
				break
			}
		}
		time.Sleep(100 * time.Millisecond) // the server's work: probes pile up
		under.Add(-1)
	}))
	text := plainModule + "targets:\n"
	for i := range 300 {
		text += fmt.Sprintf("- {name: t%d, url: %s}\n", i, url)
	}
	d := runDaemon(t, text, "ulimit -n 128;")
	status, body := d.get(t, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d", status)
	}
	if n := strings.Count(body, "\nprobe_success{target="); n != 300 {
		t.Errorf("%d targets were probed, want 300", n)
	}
	for _, failure := range regexp.MustCompile(`(?m)^probe_failure_info.*`).FindAllString(body, 3) {
		t.Error(failure)
	}
	if n := most.Load(); n < 20 || n > 48 {
		t.Errorf("%d probes were under way at once, want at most 48 of 96 descriptors, and many", n)
	}
}

// A storm of reloads over HTTP while the exporter is scraped: every scrape has its target, and what is counted is what
// the server saw.
func TestReloadStorm(t *testing.T) {
	var asked, under, twice atomic.Int64
	d := runDaemon(t, configured(faultlab.Handler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		if under.Add(1) > 1 {
			twice.Add(1)
		}
		time.Sleep(2 * time.Millisecond) // the server's work
		under.Add(-1)
	}))), "")
	over, scraped := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { scraped <- n }()
		for ; ; n++ {
			select {
			case <-over:
				return
			default:
			}
			if status, body := d.get(t, "/metrics"); status != http.StatusOK ||
				!strings.Contains(body, "\nprobe_success{target=\"api\"} 1\n") {
				t.Errorf("a scrape during the storm: %d, no success in\n%s", status, body)
				return
			}
		}
	}()
	for range 1000 {
		response, err := http.Post("http://"+d.address+"/-/reload", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("reload: %s", response.Status)
		}
	}
	close(over)
	scrapes := <-scraped
	_, body := d.get(t, "/metrics")
	if want := fmt.Sprintf("\nprobe_attempts_total{target=\"api\"} %d\n", asked.Load()); !strings.Contains(body,
		want) || asked.Load() != int64(scrapes+1) || twice.Load() != 0 {
		t.Errorf("%d scrapes, %d requests, %d at once; want as many and%sin\n%s", scrapes+1, asked.Load(), twice.Load(),
			want,
			bytes.Join(regexp.MustCompile(`(?m)^probe_attempts_total.*$`).FindAll([]byte(body), -1), []byte("\n")))
	}
}

// What is slow or huge in a request to the exporter itself is cut off, and does not keep others waiting.
func TestRequestsAreBounded(t *testing.T) {
	d := runDaemon(t, plainModule, "")
	for _, row := range []struct{ name, send, want string }{
		{"a huge header", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 80<<10), "HTTP/1.1 431 "},
		{"a head that does not end", "GET / HTTP/1.1\r\nHost: a\r\n", ""},
		{"a body that does not come", "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n",
			"HTTP/1.1 200 "},
		{"nonsense", "\x16\x03\x01\x00\x00\r\n\r\n", "HTTP/1.1 400 "},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", d.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(patience))
			_, _ = io.WriteString(conn, row.send) // which may be refused before its end
			began := time.Now()
			answer, err := io.ReadAll(conn)
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("the connection was ended after %s, want 10 s", took)
			}
			if !strings.HasPrefix(string(answer), row.want) {
				t.Errorf("got %q, want %q", answer, row.want)
			}
			if err != nil && !strings.Contains(err.Error(), "reset by peer") {
				t.Errorf("the connection was not ended: %v", err)
			}
		})
	}
}
