package endtoend

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
)

// The ways of docs/scale.md: targets shared out over two exporters by hashmod, and two vantage points that each see
// everything.
func TestScale(t *testing.T) {
	path := find(t, "prometheus", "apt-get install prometheus")
	var mu sync.Mutex
	asked := map[string]map[string]bool{} // by path, the exporters that asked
	api := faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if asked[r.URL.Path] == nil {
			asked[r.URL.Path] = map[string]bool{}
		}
		asked[r.URL.Path][r.Header.Get("X-Exporter")] = true
	}))
	exporters := [2]string{}
	for i := range exporters {
		var text strings.Builder
		fmt.Fprintf(&text, "modules:\n  api: {prober: http, timeout: 1s, http: {headers: {X-Exporter: %q}}}\n",
			fmt.Sprint(i))
		text.WriteString("targets:\n  - {name: everywhere, url: \"" + api + "everywhere\", module: api}\n")
		exporters[i] = faultlab.UnusedAddress(t)
		start(t, "http://"+exporters[i]+"/-/ready", exporter, "--web.listen-address="+exporters[i],
			"--config.file="+write(t, t.TempDir(), "exporter.yml", text.String()))
	}
	const targets = 40
	var list []string
	for i := range targets {
		list = append(list, fmt.Sprintf("%q", fmt.Sprintf("%ssharded/%d", api, i)))
	}
	p := startPrometheus(t, path, fmt.Sprintf(`
global: {scrape_interval: 2s, scrape_timeout: 2s}
scrape_configs:
  - job_name: vantages
    static_configs:
      - {targets: [%q], labels: {vantage: eu}}
      - {targets: [%q], labels: {vantage: us}}
  - job_name: sharded
    metrics_path: /probe
    params: {module: [api]}
    static_configs:
      - targets: [%s]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {source_labels: [__param_target], modulus: 2, target_label: __tmp_shard, action: hashmod}
      - {source_labels: [__tmp_shard], regex: "0", target_label: __address__, replacement: %q}
      - {source_labels: [__tmp_shard], regex: "1", target_label: __address__, replacement: %q}
`, exporters[0], exporters[1], strings.Join(list, ", "), exporters[0], exporters[1]))
	for _, want := range []struct {
		query  string
		labels []string
		series map[string]string
	}{
		{`count(probe_success{job="sharded"} == 1)`, nil, map[string]string{"": fmt.Sprint(targets)}},
		{`probe_success{job="vantages",target="everywhere"}`, []string{"vantage"},
			map[string]string{"eu": "1", "us": "1"}},
	} {
		eventually(t, want.query, func() (string, bool) {
			diff := cmp.Diff(want.series, p.vector(t, want.query, want.labels...))
			return diff, diff == ""
		})
	}
	mu.Lock()
	defer mu.Unlock()
	shares := map[string]int{}
	for path, by := range asked {
		if path == "/everywhere" {
			if len(by) != 2 {
				t.Errorf("%s was probed by %v, want both exporters", path, by)
			}
			continue
		}
		if len(by) != 1 {
			t.Errorf("%s was probed by %v, want one exporter", path, by)
		}
		for who := range by {
			shares[who]++
		}
	}
	if shares["0"]+shares["1"] != targets || shares["0"] < targets/5 || shares["1"] < targets/5 {
		t.Errorf("shares %v of %d targets, want about half each", shares, targets)
	}
}
