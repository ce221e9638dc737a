package cost

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/bench"
	"errno_exporter/internal/schedule"
)

// scrapesOfARun are how often a scrape and the same network work are measured in turn. The medians are reported.
const scrapesOfARun = 5

// BenchmarkScrape reports the CPU time of a scrape of 1,000 targets, of which each is probed, beside that of a bare
// client that does the same network work at the same mean interval, one by one, and their ratio; that of the bare
// client where as many start together as in a scrape; and how a scrape of 5,000 targets goes: how long it takes, and
// how many probes failed or are marked as unreliable.
//
//	go test ./test/cost -run '^$' -bench Scrape -benchtime 1x
func BenchmarkScrape(b *testing.B) {
	server := bench.Start(b)
	all := programs(b, &server)
	for _, row := range []struct {
		name, url string
		targets   int
		timeout   time.Duration
		rounds    int
	}{
		{"http/1000", server.HTTP, 1000, 10 * time.Second, scrapesOfARun},
		{"https1/1000", server.HTTPS1, 1000, 10 * time.Second, scrapesOfARun},
		{"https2/1000", server.HTTPS2, 1000, 10 * time.Second, scrapesOfARun},
		{"https1/5000", server.HTTPS1, 5000, 30 * time.Second, 2},
		{"https2/5000", server.HTTPS2, 5000, 30 * time.Second, 2},
	} {
		b.Run(row.name, func(b *testing.B) {
			p, client := all[0], run(b, &all[1])
			p.command = configured(b, &server, watched{exporter, row.url, row.targets})
			exporter := run(b, &p)
			every := schedule.Interval(row.targets, row.timeout, row.timeout)
			var ours, bare, grouped, took, unreliable []float64
			paced := func(together int) float64 {
				cpu := client.cpuTime(b)
				client.get(b, fmt.Sprintf("/paced?n=%d&every=%s&together=%d&target=%s", row.targets, every, together,
					url.QueryEscape(row.url)), 0)
				return (client.cpuTime(b) - cpu).Seconds()
			}
			exporter.get(b, "/metrics", row.timeout) // warm
			for b.Loop() {
				for range row.rounds {
					began, cpu := time.Now(), exporter.cpuTime(b)
					text := exporter.get(b, "/metrics", row.timeout)
					ours = append(ours, (exporter.cpuTime(b) - cpu).Seconds())
					took = append(took, time.Since(began).Seconds())
					unreliable = append(unreliable, float64(count(text, "probe_reliable", 0)))
					if ok := count(text, "probe_success", 1); ok != row.targets {
						b.Errorf("%d of %d targets succeeded", ok, row.targets)
					}
					bare, grouped = append(bare, paced(1)), append(grouped, paced(schedule.Together))
				}
			}
			b.ReportMetric(median(ours), "cpu-s/scrape")
			b.ReportMetric(median(bare), "bare-cpu-s/scrape")
			b.ReportMetric(median(grouped), "bare-together-cpu-s/scrape")
			b.ReportMetric(median(ours)/median(bare), "÷bare")
			b.ReportMetric(slices.Max(took), "s")
			b.ReportMetric(median(unreliable), "unreliable")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// count is how many samples of a metric have a value.
func count(text, metric string, value int) int {
	n, end := 0, fmt.Sprint("} ", value)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, metric+"{") && strings.HasSuffix(strings.TrimSuffix(line, "\n"), end) {
			n++
		}
	}
	return n
}

// get gets a path, as Prometheus does with a timeout; 0 for none.
func (r *running) get(b *testing.B, path string, timeout time.Duration) string {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+r.address+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	if timeout > 0 {
		request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(timeout.Seconds()))
	}
	response, err := r.client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s, %v\n%s", path, response.Status, err, text)
	}
	return string(text)
}
