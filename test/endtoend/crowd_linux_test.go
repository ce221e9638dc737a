package endtoend

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// crowdSize is bounded by the ports and file descriptors of one host.
var crowdSize = flag.Int("crowd", 2000, "requests to /probe at once of TestProbesAtOnce, at most 10000")

// Thousands of requests to /probe at once, half of them for a target that stalls: each gets a result or a clear
// refusal, the exporter stays below the memory limit of deploy/kubernetes, and scrapes of the configured targets find
// nothing of it.
func TestProbesAtOnce(t *testing.T) {
	for _, row := range []struct{ name, before string }{
		{"with the host's limit of file descriptors", ""},
		{"with room for a quarter of 2,000", "ulimit -n 2048;"},
	} {
		t.Run(row.name, func(t *testing.T) { probesAtOnce(t, row.before) })
	}
}

func probesAtOnce(t *testing.T, before string) {
	const scrapeTimeout, mostMemory = 10, 256 << 20
	n := min(*crowdSize, 10_000)
	healthy, silent := faultlab.Handler(t, faultlab.Healthy), faultlab.Silent(t)
	d := runDaemon(t, plainModule+"targets: [{name: api, url: "+healthy+"}]\n", before, "--log.prober=error")
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var asking sync.WaitGroup
	answers := make(chan string, n)
	together := make(chan struct{})
	for i := range n {
		target := healthy
		if i%2 == 1 {
			target = silent
		}
		path := "/probe?target=" + url.QueryEscape(fmt.Sprintf("%s?%d", target, i))
		asking.Go(func() {
			<-together
			answers <- answerOf(ctx, d.address, path, scrapeTimeout)
		})
	}
	close(together)
	for round := range 3 { // beside them
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(scrapeTimeout))
		response, err := client.Do(request)
		if err != nil {
			t.Fatalf("scrape %d: %v", round, err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || !strings.Contains(string(body), "\nprobe_success{target=\"api\"} 1\n") {
			t.Errorf("scrape %d: %s, %v, without a success of the target: %.500s", round, response.Status, err, body)
		}
	}
	asking.Wait()
	close(answers)
	got := map[string]int{}
	for a := range answers {
		got[a]++
	}
	t.Logf("%d requests: %v, at most %d MB", n, got, d.peak(t)>>20)
	if unclear := n - got["200"] - got["503"] - got["hung up"]; unclear != 0 || got["200"] == 0 {
		t.Errorf("answers %v, want results, some, and refusals", got)
	}
	if peak := d.peak(t); peak > mostMemory {
		t.Errorf("the exporter took %d MB, want at most %d", peak>>20, mostMemory>>20)
	}
	if status, _ := d.get(t, "/-/healthy"); status != http.StatusOK {
		t.Errorf("/-/healthy after all that: %d", status)
	}
}

// answerOf is what a request is answered with: its status, if that has the body that belongs to it, or that the
// exporter closed the connection, which is how it refuses those for whom there is no room.
func answerOf(ctx context.Context, address, path string, timeout int) string {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return "dial: " + err.Error()
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: "+
		"close\r\nX-Prometheus-Scrape-Timeout-Seconds: %d\r\n\r\n", path, timeout)
	whole, err := io.ReadAll(conn)
	head, body, _ := strings.Cut(string(whole), "\r\n\r\n")
	switch {
	case len(whole) == 0 && (err == nil || !isTimeout(err)):
		return "hung up"
	case err == nil && strings.HasPrefix(head, "HTTP/1.1 200 ") && strings.Contains(body, "\nprobe_success "):
		return "200"
	case err == nil && strings.HasPrefix(head, "HTTP/1.1 503 ") && strings.Contains(body, "exporter"):
		return "503"
	default:
		return fmt.Sprintf("%.100q, %v", head, err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}
