package cost

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/bench"
)

// featureRounds are how often each exporter scrapes its targets.
const featureRounds = 7

// feature is something that is off unless it is asked for.
type feature struct {
	name          string
	flags         []string
	global, probe string // lines of the configuration, and keys of the module
}

func features(b *testing.B) []feature {
	const diagnose = ", diagnose: {on_failure: true, never_routed: false}"
	path := func() string { return "--storage.path=" + b.TempDir() }
	return []feature{
		{name: "off"},
		{name: "off-again"},
		{name: "storage", flags: []string{path()}},
		{name: "observe", global: "observe: true\n"},
		{name: "diagnose", probe: diagnose},
		{name: "capture", flags: []string{"--reset-capture"}},
		{name: "all", flags: []string{path(), "--reset-capture"}, global: "observe: true\n", probe: diagnose},
	}
}

// BenchmarkFeatures reports the CPU time of a scrape of 1,000 configured targets, of which some are refused each time,
// with each feature on and with none: the median of the rounds, in each of which every exporter scrapes once. What an
// exporter does while it is the others' turn counts, too. "off-again" shows how exact that is.
//
//	go test ./test/cost -run '^$' -bench Features -benchtime 1x -timeout 30m
func BenchmarkFeatures(b *testing.B) {
	server := bench.Start(b)
	for _, work := range []struct{ name, url string }{{"http", server.HTTP}, {"https1", server.HTTPS1}} {
		for _, refused := range []int{0, 100} {
			b.Run(fmt.Sprintf("%s/refused=%d", work.name, refused), func(b *testing.B) {
				all := features(b)
				exporters := make([]*running, len(all))
				for i, f := range all {
					exporters[i] = run(b, &program{command: f.command(b, &server, work.url, refused)})
					exporters[i].scrape(b)
				}
				spent := make([][]float64, len(all)) // milliseconds of CPU time, by exporter and round
				for b.Loop() {
					for round := range featureRounds + 1 {
						for i, r := range exporters {
							if at := float64(r.cpuTime(b).Microseconds()) / 1000; round == 0 {
								spent[i] = []float64{at}
							} else {
								spent[i] = append(spent[i], at)
							}
							r.scrape(b)
						}
					}
				}
				off := median(differences(spent[0]))
				for i, f := range all {
					cpu := median(differences(spent[i]))
					b.ReportMetric(cpu, f.name+"-cpu-ms/scrape")
					b.ReportMetric(100*(cpu/off-1), f.name+"-%")
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func differences(of []float64) []float64 {
	between := make([]float64, len(of)-1)
	for i := range between {
		between[i] = of[i+1] - of[i]
	}
	return between
}

// command starts an exporter with the feature on, of whose targets so many are refused.
func (f *feature) command(b *testing.B, server *bench.Server, url string, refused int) func() *exec.Cmd {
	b.Helper()
	dir := b.TempDir()
	roots, file := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "exporter.yml")
	var text strings.Builder
	fmt.Fprintf(&text, "%smodules: {bench: {prober: http, http: {preferred_ip_protocol: ip4, tls_config: "+
		"{ca_file: %s}%s}}}\ntargets:\n", f.global, roots, f.probe)
	closed := closedPort(b)
	for i := range scraped {
		u := url
		if i < refused {
			u = "http://" + closed + "/"
		}
		fmt.Fprintf(&text, "  - {name: api-%d.example.com, url: %q, module: bench}\n", i, u)
	}
	for file, content := range map[string][]byte{roots: pemOf(server), file: []byte(text.String())} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return func() *exec.Cmd {
		return exec.Command(exporter, append(f.flags, "--config.file="+file, "--web.listen-address=127.0.0.1:0")...)
	}
}

// closedPort is an address that refuses: nothing listens there any more.
func closedPort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// scrape asks for /metrics as a Prometheus with a timeout of three seconds does.
func (r *running) scrape(b *testing.B) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+r.address+"/metrics", nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint((3 * time.Second).Seconds()))
	response, err := r.client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.Copy(io.Discard, response.Body)
	if _ = response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s: %v", response.Status, err)
	}
}
