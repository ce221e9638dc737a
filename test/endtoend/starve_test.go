package endtoend

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// With 512 file descriptors, clients that take more than all of them keep no scrape from its targets.
func TestScrapeAmongManyClients(t *testing.T) {
	silent := faultlab.Silent(t)
	for _, row := range []struct {
		name string
		n    int
		send string // on each connection
	}{
		{"600 connections that send nothing", 600, ""},
		{"600 connections that were answered", 600, "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"600 requests whose body does not come", 600,
			"GET /-/healthy HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"},
		{"1,500 stalled requests to /probe", 1500, "GET /probe?target=" + url.QueryEscape(silent) +
			" HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"1,500 stalled requests to /probe by name", 1500, "GET /probe?target=silent HTTP/1.1\r\nHost: a\r\n\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := runDaemon(t, plainModule+"targets: [{name: api, url: "+faultlab.Handler(t,
				faultlab.Healthy)+"}, {name: silent, url: "+silent+"}]\n", "ulimit -n 512;", "--log.prober=error")
			crowd(t, d.address, row.n, row.send)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+d.address+"/metrics", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "10")
			client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
			began := time.Now()
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("the scrape: %s, %v: %s", response.Status, err, body)
			}
			for _, want := range []string{`probe_success{target="api"} 1`, `probe_success{target="silent"} 0`} {
				if !strings.Contains(string(body), "\n"+want+"\n") {
					t.Errorf("the scrape has no %s", want)
				}
			}
			if own := regexp.MustCompile(`(?m)^.*"local\..*$`).FindString(string(body)); own != "" {
				t.Errorf("the scrape has a failure of the exporter's own: %s", own)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("the scrape took %s of 10 s", took)
			}
		})
	}
}

// crowd opens connections that send something each and stay open until the test ends. Those that were answered are by
// then.
func crowd(t *testing.T, address string, n int, send string) {
	t.Helper()
	var opening sync.WaitGroup
	for range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if send == "" {
			continue
		}
		_, _ = fmt.Fprint(conn, send) // which may be refused
		if strings.Contains(send, "healthy") {
			// without a bound the exporter makes room after two minutes
			_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			opening.Go(func() { _, _ = bufio.NewReader(conn).ReadByte() })
		}
	}
	opening.Wait()
}
