package cost

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/bench"
)

// How a Prometheus is measured: it scrapes 1,000 HTTPS targets, at first until it has all series, and then for so many
// rounds.
const (
	scraped       = 1000
	scrapeEvery   = 10 * time.Second
	warmingRounds = 3
	scrapeRounds  = 6
)

// BenchmarkPrometheus reports what a real Prometheus pays for 1,000 HTTPS targets: its CPU time and the samples of a
// round, the series in its head, and its memory. With -beside another build of the exporter is measured as well.
//
//	make tools && go test ./test/cost -run '^$' -bench Prometheus -benchtime 1x -timeout 30m
func BenchmarkPrometheus(b *testing.B) {
	path, err := filepath.Abs("../../.tools/prometheus-3")
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		b.Skipf("%v: make tools", err)
	}
	server := bench.Start(b)
	all := programs(b, &server)
	ours, theirs := all[0], all[len(all)-1]
	targets := all[0]
	targets.command = configured(b, &server, watched{exporter, server.HTTPS1, scraped})
	rows := []struct {
		name   string
		of     *program
		global string
		each   bool // by a scrape of /probe
	}{
		{"no targets", &ours, "", false},
		{"metrics/classic", &targets, "", false},
		{"metrics/native", &targets, ", scrape_native_histograms: true", false},
		{"probe/classic", &ours, "", true},
		{"probe/native", &ours, ", scrape_native_histograms: true", true},
		{"probe/blackbox_exporter", &theirs, "", true},
	}
	if *beside != "" {
		other := all[0]
		other.command = configured(b, &server, watched{*beside, server.HTTPS1, scraped})
		rows = append(rows, rows[1], rows[2])
		for i, name := range []string{"beside/classic", "beside/native"} {
			rows[len(rows)-2+i].name, rows[len(rows)-2+i].of = name, &other
		}
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			if row.each && row.of.name == "raw" {
				b.Skip("prometheus-blackbox-exporter is not there")
			}
			p := prometheus(b, path, fmt.Sprintf("global: {scrape_interval: %s, scrape_timeout: %s%s}\nscrape_configs: %s\n",
				scrapeEvery, scrapeEvery, row.global, job(run(b, row.of).address, server.HTTPS1, row.each)))
			for b.Loop() {
				p.measure(b)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// watched is a build whose configuration has so many targets at a URL.
type watched struct {
	path, url string
	targets   int
}

// configured is the command of a build whose configuration has all targets.
func configured(b *testing.B, server *bench.Server, w watched) func() *exec.Cmd {
	b.Helper()
	dir := b.TempDir()
	roots, file := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "exporter.yml")
	var text strings.Builder
	fmt.Fprintf(&text, "modules: {bench: {prober: http, http: {preferred_ip_protocol: ip4, tls_config: {ca_file: %s}}}}\n"+
		"targets:\n", roots)
	for i := range w.targets {
		fmt.Fprintf(&text, "  - {name: api-%d.example.com, url: %q, module: bench}\n", i, w.url)
	}
	for file, content := range map[string][]byte{roots: pemOf(server), file: []byte(text.String())} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return func() *exec.Cmd {
		return exec.Command(w.path, "--config.file="+file, "--web.listen-address=127.0.0.1:0")
	}
}

// job is the scrape configuration of an exporter: one scrape for all targets, or one for each.
func job(exporter, target string, each bool) string {
	if !each {
		return fmt.Sprintf("[{job_name: apis, static_configs: [{targets: [%q]}]}]", exporter)
	}
	names := make([]string, scraped)
	for i := range names {
		names[i] = fmt.Sprintf("'%d'", i)
	}
	return fmt.Sprintf("[{job_name: apis, metrics_path: /probe, params: {module: [bench]}, static_configs: "+
		"[{targets: [%s]}], relabel_configs: [{source_labels: [__address__], target_label: __param_target, replacement: '%s/?n=$1'}, "+
		"{source_labels: [__param_target], target_label: instance}, {target_label: __address__, replacement: '%s'}]}]",
		strings.Join(names, ", "), target, exporter)
}

// prometheus starts a Prometheus.
func prometheus(b *testing.B, path, configuration string) *running {
	b.Helper()
	dir := b.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		b.Fatal(err)
	}
	return run(b, &program{command: func() *exec.Cmd {
		return exec.Command(path, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
			"--web.listen-address=127.0.0.1:0")
	}})
}

// measure reports what the rounds take.
func (r *running) measure(b *testing.B) {
	b.Helper()
	samples := func() float64 {
		const name = "prometheus_tsdb_head_samples_appended_total"
		return r.counter(b, name+`\{type="float"\}`) + r.counter(b, name+`\{type="histogram"\}`)
	}
	wait := func(rounds time.Duration) { <-time.After(rounds * scrapeEvery) }
	wait(warmingRounds)
	cpu, before := r.cpuTime(b), samples()
	wait(scrapeRounds)
	b.ReportMetric(float64((r.cpuTime(b)-cpu).Milliseconds())/scrapeRounds, "cpu-ms/round")
	b.ReportMetric((samples()-before)/scrapeRounds, "samples/round")
	b.ReportMetric(r.counter(b, "prometheus_tsdb_head_series"), "series")
	b.ReportMetric(r.memory(b, "VmRSS")/1024, "MiB")
	b.ReportMetric(r.counter(b, "go_memstats_heap_inuse_bytes")/(1<<20), "heap-MiB")
}
