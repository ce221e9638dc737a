package endtoend

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
)

// resetsIdle answers requests, and resets each connection that has been idle for a time.
func resetsIdle(l net.Listener, after time.Duration) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // the test has ended
		}
		go func() {
			defer conn.Close()
			_ = conn.(*net.TCPConn).SetLinger(0) // closing sends a RST
			r := bufio.NewReader(conn)
			for {
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
					return
				}
				_ = conn.SetReadDeadline(time.Now().Add(after))
			}
		}()
	}
}

// pooled is an application that keeps its connection after each request, and connects again when it was reset.
func pooled(ctx context.Context, n *netlab.Net, address string) {
	for ctx.Err() == nil {
		conn, err := n.Dial(ctx, netlab.C, "tcp", address)
		if err != nil {
			return // the test has ended
		}
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: api\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn) // until the reset
		_ = conn.Close()
	}
}

// A server resets the application's idle connections, and the probes see nothing: metrics, verdict and page show it.
func TestApplicationConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	t.Parallel()
	n := netlab.New(t)
	address := net.JoinHostPort(netlab.V4.Addr(netlab.S).String(), "8080")
	l := n.Listen(netlab.S, "tcp", address)
	go resetsIdle(l, 1500*time.Millisecond)

	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return n.Dial(ctx, netlab.C, network, addr)
		}}}
	configuration := "observe: {interval: 1s}\nmodules:\n" +
		faultlab.Module("http_2xx", 5*time.Second, faultlab.RootsPEM()) +
		fmt.Sprintf("targets: [{name: api, url: 'http://%s/'}]\n", address)
	d := runDaemonBy(t, func(name string, args ...string) *exec.Cmd { return n.Command(netlab.C, name, args...) },
		client, configuration, "")
	scrape := func() string {
		_, page := d.get(t, "/metrics")
		return page
	}
	if page := scrape(); !regexp.MustCompile(`(?m)^errno_exporter_observe_enabled 1$`).MatchString(page) ||
		!regexp.MustCompile(`(?m)^app_connections_ended_total\{how="reset_received",origin="unknown",target="api"\} 0$`).
			MatchString(page) {
		t.Fatalf("the first scrape has no counters of the application's connections:\n%s", page)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); pooled(ctx, n, address) }()
	defer func() { cancel(); <-ended }()

	eventually(t, "the verdict", func() (string, bool) {
		page := scrape()
		return page, regexp.MustCompile(`(?m)^probe_cause_info\{cause="stale_pool",.*party="us".*target="api"\} 1$`).
			MatchString(page) && regexp.MustCompile(`(?m)^probe_success\{target="api"\} 1$`).MatchString(page)
	})
	page := scrape()
	for _, want := range []string{
		`app_connections_ended_total\{how="reset_received",origin="(unknown|peer)",target="api"\} [1-9]`,
		`app_connections_opened_total\{target="api"\} [1-9]`,
		`app_connection_idle_seconds_count\{how="reset_received",target="api"\} [1-9]`,
		`app_connection_age_seconds_count\{how="reset_received",target="api"\} [1-9]`,
	} {
		if !regexp.MustCompile(`(?m)^` + want).MatchString(page) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	if t.Failed() {
		t.Log(regexp.MustCompile(`(?m)^app_.*`).FindAllString(page, -1))
	}
	var status struct {
		Shown []struct {
			State       string
			Cause       struct{ Cause, Confidence string }
			Application struct {
				Ended []struct {
					How   string
					Count int
				}
			}
		}
	}
	_, text := d.get(t, "/?format=json")
	if err := json.Unmarshal([]byte(text), &status); err != nil || len(status.Shown) != 1 {
		t.Fatalf("the status is %s, err %v", text, err)
	}
	s := status.Shown[0]
	if s.State != "ok" || s.Cause.Cause != "stale_pool" || len(s.Application.Ended) == 0 ||
		s.Application.Ended[0].How != "reset_received" || s.Application.Ended[0].Count < 3 {
		t.Errorf("the status is %+v", s)
	}
	for path, wanted := range map[string][]string{
		"/":            {`<code>stale_pool</code>`, `The application&#39;s connections in the last hour: \d+ reset by the peer`},
		"/targets/api": {`<code>stale_pool</code>`, `\d+ reset by the peer`},
	} {
		_, html := d.get(t, path)
		for _, want := range wanted {
			if !regexp.MustCompile(want).MatchString(html) {
				t.Errorf("%s has no %s:\n%s", path, want, html)
			}
		}
	}
}
