package cost

import (
	"net/http"
	"testing"
	"time"

	"errno_exporter/internal/bench"
)

// BenchmarkStart reports what the exporter takes with 1,000 configured targets: from its start as a process to its first
// answer, and to reload.
//
//	go test ./test/cost -run '^$' -bench Start -benchtime 21x
func BenchmarkStart(b *testing.B) {
	server := bench.Start(b)
	command := configured(b, &server, watched{exporter, server.HTTPS1, scraped})
	var starts, reloads []float64 // milliseconds
	for b.Loop() {
		from := time.Now()
		r := run(b, &program{command: command})
		r.answers(b, http.MethodGet, "/-/ready")
		starts = append(starts, milliseconds(from))
		from = time.Now()
		r.answers(b, http.MethodPost, "/-/reload")
		reloads = append(reloads, milliseconds(from))
		_ = r.Process.Kill() // the next one has the machine to itself
	}
	b.ReportMetric(median(starts), "start-ms")
	b.ReportMetric(median(reloads), "reload-ms")
	b.ReportMetric(0, "ns/op")
}

// answers asks for a page, which is there.
func (r *running) answers(b *testing.B, method, path string) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, "http://"+r.address+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := r.client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		b.Fatalf("%s %s: %s", method, path, response.Status)
	}
}

func milliseconds(from time.Time) float64 { return float64(time.Since(from).Microseconds()) / 1000 }
