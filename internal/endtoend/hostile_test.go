package endtoend

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// Hostile servers at concurrency 20: every answer comes within the scrape's time, and the exporter never takes 150 MB.
func TestHostileServers(t *testing.T) {
	const scrapeTimeout, concurrency, most = 5, 20, 150 << 20
	answers := make([]netip.Addr, 2000)
	for i := range answers {
		answers[i] = netip.AddrFrom4([4]byte{127, 0, byte(i >> 8), byte(i)})
	}
	resolver := faultlab.DNS(t, map[string][]netip.Addr{"many.lab.test": answers})
	keys := func(module, more string) string {
		return faultlab.Module(module, time.Minute, faultlab.RootsPEM(), append([]string{"resolver: {servers: ['" + resolver + "']}"}, strings.Split(more, "; ")...)...)
	}
	d := runDaemon(t, "modules:\n"+keys("plain", "keep_body: true")+keys("gzip", "compression: gzip")+keys("unlimited", "compression: gzip; body_size_limit: 0")+
		keys("regexp", "fail_if_body_matches_regexp: [nosuch]")+keys("packed_regexp", "compression: gzip; fail_if_body_matches_regexp: [nosuch]")+
		keys("cel", `fail_if_body_json_matches_cel: "body.size() == 1"`)+keys("all", "addresses: all")+
		keys("deflate", "compression: deflate")+keys("br", "compression: br")+keys("http3", "enable_http3: true; enable_http2: false"), "")
	for _, row := range append(floodRows(t), []hostileRow{
		{"gzip bomb", faultlab.GzipBomb(t), "gzip"},
		{"gzip bomb without a limit", faultlab.GzipBomb(t), "unlimited"},
		{"gzip bomb for an expression", faultlab.GzipBomb(t), "packed_regexp"},
		{"endless headers", faultlab.EndlessHeaders(t), "plain"},
		{"an endless header", faultlab.EndlessHeader(t), "plain"},
		{"endless body", faultlab.EndlessBody(t), "plain"},
		{"endless body for an expression", faultlab.EndlessBody(t), "regexp"},
		{"endless chunks", faultlab.EndlessChunks(t), "plain"},
		{"endless JSON", faultlab.EndlessJSON(t), "cel"},
		{"a long list of JSON", faultlab.JSONList(t, 500_000), "cel"},
		{"endless 1xx", faultlab.EndlessInformation(t), "plain"},
		{"5,000 names in the certificate", faultlab.ManyNames(t), "plain"},
		{"1,000 redirects", faultlab.Redirects(t) + "1000", "plain"},
		{"bytes that are not UTF-8", faultlab.NotText(t), "plain"},
		{"2,000 addresses", "http://many.lab.test:1/", "plain"},
		{"every one of 2,000 addresses", "http://many.lab.test:1/", "all"},
	}...) {
		var probing sync.WaitGroup
		for range concurrency {
			probing.Go(func() {
				began := time.Now()
				status, body := d.scrape(t, "/probe?module="+row.module+"&target="+url.QueryEscape(row.target), scrapeTimeout)
				if took := time.Since(began); status != http.StatusOK || took > scrapeTimeout*time.Second || !strings.Contains(body, "\nprobe_success ") {
					t.Errorf("%s: %d after %s, want 200 and a result within %d s", row.name, status, took, scrapeTimeout)
				}
			})
		}
		probing.Wait()
		if peak := d.peak(t); peak > most {
			t.Errorf("%s: the exporter took %d MB, want at most %d", row.name, peak>>20, most>>20)
		} else {
			t.Logf("%s: at most %d MB until now", row.name, peak>>20)
		}
	}
	for _, path := range []string{"/history", "/metrics", "/"} {
		if status, body := d.get(t, path); status != http.StatusOK || len(body) > 1<<20 {
			t.Errorf("%s after all that: %d, %d bytes", path, status, len(body))
		}
	}
}

// scrape asks as Prometheus does, with its timeout in seconds.
func (d *daemon) scrape(t *testing.T, path string, timeout int) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+d.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.Itoa(timeout))
	response, err := d.client.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(body)
}

var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peak is the most memory that the exporter had, in bytes (proc(5), VmHWM).
func (d *daemon) peak(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := peakLine.FindSubmatch(text)
	if found == nil {
		t.Fatalf("no VmHWM in\n%s", text)
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
