package sidebyside

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"errno_exporter/config"
	"errno_exporter/internal/bench"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/history"
	"errno_exporter/internal/watch"
	"errno_exporter/internal/web"
	"errno_exporter/prober"
)

// requests keeps what a server was sent.
type requests struct {
	mu   sync.Mutex
	seen []faultlab.Seen
}

// noted notes each request before the handler answers it.
func (r *requests) noted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		answer := httptest.NewRecorder()
		faultlab.Echo.ServeHTTP(answer, request)
		var s faultlab.Seen
		if err := json.NewDecoder(answer.Body).Decode(&s); err == nil {
			r.mu.Lock()
			r.seen = append(r.seen, s)
			r.mu.Unlock()
		}
		next.ServeHTTP(w, request)
	})
}

// take returns what was sent since the last take.
func (r *requests) take() []faultlab.Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.seen
	r.seen = nil
	return taken
}

// TestSideBySide: every series that blackbox_exporter exposes exists in ours with an equal value, apart from durations
// and the listed differences, and the servers saw the same.
func TestSideBySide(t *testing.T) {
	program, err := exec.LookPath("prometheus-blackbox-exporter")
	if err != nil {
		t.Skip("prometheus-blackbox-exporter is not installed: apt-get install prometheus-blackbox-exporter")
	}
	rows := pairs()
	targets, labs := make([]string, len(rows)), make([]*lab, len(rows))
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	text := "modules:\n"
	for i := range rows {
		labs[i] = &lab{T: t, requests: new(requests)}
		targets[i] = rows[i].serve(labs[i]) + rows[i].path
		proxy := ""
		if strings.Contains(rows[i].keys, "PROXY") {
			proxy = faultlab.HTTPProxy(t).URL
		}
		if strings.Contains(rows[i].keys, "TLSPROXY") {
			proxy = faultlab.HTTPSProxy(t).URL
		}
		text += rows[i].module(fmt.Sprintf("m%d", i), ca, proxy)
	}
	file := filepath.Join(dir, "blackbox.yml")
	for path, content := range map[string]string{ca: string(faultlab.RootsPEM()), file: text} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	theirs, ours := startPeer(t, program, file), startOurs(t, file)
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			query := fmt.Sprintf("/probe?target=%s&module=m%d&%s", url.QueryEscape(targets[i]), i, row.query)
			peer := scrape(t, theirs+query)
			peerSaw := labs[i].requests.take()
			if row.stays != "" {
				peerSaw[len(peerSaw)-1].Header.Del(row.stays)
			}
			own := scrape(t, ours+query)
			ownSaw := labs[i].requests.take()
			compareSeries(t, row.differs, peer, own)
			if diff := cmp.Diff(comparable(peerSaw), comparable(ownSaw)); diff != "" {
				t.Errorf("the server saw something else (-blackbox_exporter +errno_exporter):\n%s", diff)
			}
		})
	}
}

// comparable leaves out who asked.
func comparable(seen []faultlab.Seen) []faultlab.Seen {
	for _, s := range seen {
		if agent := s.Header.Get("User-Agent"); strings.HasPrefix(agent, "Blackbox Exporter/") ||
			strings.HasPrefix(agent, "errno_exporter/") {
			s.Header.Set("User-Agent", "the exporter's own")
		}
		s.Header.Del(prober.ProbeHeader)
	}
	return seen
}

// startPeer runs blackbox_exporter and returns its URL.
func startPeer(t *testing.T, program, file string) string {
	t.Helper()
	command := exec.Command(program, "--config.file="+file, "--web.listen-address=127.0.0.1:0")
	command.Dir = filepath.Dir(file) // it takes the names of some files as relative to this
	return "http://" + bench.Listening(t, command)
}

// startOurs runs our exporter and returns its URL.
func startOurs(t *testing.T, file string) string {
	t.Helper()
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	watching := watch.New(watch.Options{
		Prober: prober.New(prober.Options{UserAgent: "errno_exporter/test"}), Remember: 10, Registry: registry,
	})
	watching.Apply(c)
	endpoints := &web.Endpoints{
		Probe: &web.ProbeHandler{Watch: watching, Config: config.NewCurrent(c), TimeoutOffset: 500 * time.Millisecond},
		Life:  new(web.Lifecycle), History: history.New(0), Registry: registry,
	}
	server := httptest.NewServer(endpoints.Handler())
	t.Cleanup(server.Close)
	return server.URL
}

// series are samples by name and labels.
type series map[string]float64

// scrape asks as Prometheus does.
func scrape(t *testing.T, address string) series {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "10")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", address, response.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	all := series{}
	for name, family := range families {
		for _, m := range family.Metric {
			if m.Gauge != nil {
				all[name+labelsOf(m)] = m.Gauge.GetValue()
			}
		}
	}
	return all
}

// labelsOf is a sample's labels, without the one that blackbox_exporter 0.23 does not have yet.
func labelsOf(m *dto.Metric) string {
	var labels []string
	for _, l := range m.Label {
		if l.GetName() != "serialnumber" {
			labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
	}
	if len(labels) == 0 {
		return ""
	}
	slices.Sort(labels)
	return "{" + strings.Join(labels, ",") + "}"
}

func compareSeries(t *testing.T, differs map[string]string, peer, own series) {
	t.Helper()
	unused := maps.Clone(differs)
	for _, name := range slices.Sorted(maps.Keys(peer)) {
		want := peer[name]
		got, ok := own[name]
		listed, _, _ := strings.Cut(name, "{") // as a whole, or by this series
		if differs[listed] == "" {
			listed = name
		}
		duration := strings.Contains(name, "duration_seconds") || strings.Contains(name, "lookup_time_seconds")
		switch {
		case differs[listed] != "" && (!ok || got != want):
			delete(unused, listed)
		case !ok && strings.HasPrefix(name, "probe_http_duration_seconds{") && want == 0:
			// a phase that never began has no series
		case !ok:
			t.Errorf("%s is %v there and absent here", name, want)
		case got != want && !duration:
			t.Errorf("%s is %v there and %v here", name, want, got)
		}
	}
	for name, why := range unused {
		t.Errorf("%s is listed as different (%s) and is not", name, why)
	}
}
