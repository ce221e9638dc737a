package endtoend

import (
	"errno_exporter/internal/faultlab"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// prometheuses are the releases that the exporter is scraped by: the oldest that is supported, and the newest.
// Native histograms are asked for by a flag there, and by the configuration here.
var prometheuses = []struct{ name, program, promtool, how, feature, global string }{
	{"Debian's 2.42", "prometheus", "promtool", "apt-get install prometheus", ",native-histograms", ""},
	{"3.15", "prometheus-3", "promtool-3", "make tools", "", ", scrape_native_histograms: true"},
}

// scrapes is the README's three ways to scrape an exporter: all targets at once, discovered, and relabelled.
func scrapes(exporter, global string, rules ...string) string {
	return strings.ReplaceAll(`
global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s`+global+`}
rule_files: ["`+strings.Join(rules, `", "`)+`"]
scrape_configs:
  - job_name: one
    static_configs:
      - targets: [EXPORTER]
  - job_name: discovered
    http_sd_configs:
      - url: http://EXPORTER/sd
        refresh_interval: 2s
  - job_name: relabelled
    metrics_path: /probe
    static_configs:
      - targets: [healthy, reset-after-request]
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__param_target]
        target_label: instance
      - target_label: __address__
        replacement: EXPORTER
`, "EXPORTER", exporter)
}

// startDemo runs the exporter on servers of its own.
func startDemo(t *testing.T) string {
	t.Helper()
	address := faultlab.UnusedAddress(t)
	start(t, "http://"+address+"/-/ready", exporter, "--demo", "--probe.interval=0s", "--web.listen-address="+address)
	return address
}

// A real Prometheus sees the demo in all three ways, with native histograms and with exemplars that lead to the probe's
// record.
func TestScrapedByPrometheus(t *testing.T) {
	for _, row := range prometheuses {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := find(t, row.program, row.how)
			address := startDemo(t)
			checkMetrics(t, find(t, row.promtool, row.how), address)
			p := startPrometheus(t, path, scrapes(address, row.global, shippedRules(t)...),
				"--enable-feature=exemplar-storage"+row.feature)
			reasons := map[string]string{
				"reset-after-request processing tcp.reset ECONNRESET": "1",
				"reset-in-body transfer tcp.reset ECONNRESET":         "1",
				"stalled processing http.response.timed_out ":         "1",
				"expired-certificate tls tls.cert.date_invalid ":      "1",
				"rate-limited validate http.rate_limited ":            "1",
			}
			for _, want := range []struct {
				query  string
				labels []string
				series map[string]string
			}{
				{`probe_failure_info{job="one",target!="flapping"}`, []string{"target", "phase", "reason", "errno"},
					reasons},
				{`probe_failure_info{job="discovered",instance!="flapping"}`,
					[]string{"instance", "phase", "reason", "errno"}, reasons},
				{`probe_success{job="relabelled"}`, []string{"instance"},
					map[string]string{"healthy": "1", "reset-after-request": "0"}},
				{`probe_success{job="discovered"} * on (instance) group_left (demo) ` +
					`(probe_target_info{job="discovered",instance=~"healthy|rate-limited"})`,
					[]string{"instance", "demo"}, map[string]string{"healthy answers": "1",
						"rate-limited answers 429": "0"}},
				{`histogram_count(probe_phase_duration_seconds{job="one",target="healthy"}) > bool 0`,
					[]string{"phase", "result"}, map[string]string{
						"resolve success": "1", "connect success": "1", "tls success": "1", "processing success": "1",
						"transfer success": "1"}},
				{`increase(probe_connection_resets_total{job="one",target="reset-in-body"}[1m]) > bool 0`,
					[]string{"phase"}, map[string]string{
						"processing": "0", "transfer": "1"}},
				{`ALERTS{alertname="ErrnoConnectionReset",alertstate="firing",target=~"reset-after-request|",instance!~"flapping|reset-in-body|one-bad-address"}`,
					[]string{"job", "target", "instance", "phase"},
					map[string]string{"one reset-after-request " + address + " processing": "1",
						"discovered  reset-after-request processing": "1",
						"relabelled  reset-after-request processing": "1"}},
				{`count(up == 1) by (job)`, []string{"job"},
					map[string]string{"one": "1", "discovered": "9", "relabelled": "2"}},
			} {
				eventually(t, want.query, func() (string, bool) {
					got := p.vector(t, want.query, want.labels...)
					diff := cmp.Diff(want.series, got)
					return diff, diff == ""
				})
			}
			exemplarsLead(t, p, address)
			rulesAreEvaluated(t, p)
		})
	}
}

// rulesAreEvaluated fails for rules whose last evaluation met an error, such as two series where one is expected.
func rulesAreEvaluated(t *testing.T, p prometheus) {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, LastError string }
			}
		}
	}
	getJSON(t, "http://"+p.address+"/api/v1/rules", &answer)
	rules := 0
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			if rules++; r.LastError != "" {
				t.Errorf("%s: %s", r.Name, r.LastError)
			}
		}
	}
	if rules == 0 {
		t.Error("no rules are loaded")
	}
}

// shippedRules are the files of the shipped rules, with seconds in the place of minutes.
func shippedRules(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	return []string{
		write(t, dir, "recording.yml", strings.ReplaceAll(inSeconds(t, "recording.yml"), "interval: 15s",
			"interval: 1s")),
		write(t, dir, "alerts.yml", inSeconds(t, "alerts.yml")),
	}
}

// checkMetrics lets promtool judge the names and helps of all metrics.
func checkMetrics(t *testing.T, promtool, exporter string) {
	t.Helper()
	response, err := http.Get("http://" + exporter + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	command := exec.Command(promtool, "check", "metrics")
	command.Stdin = response.Body
	if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// exemplarsLead checks that the trace of an exemplar in Prometheus is known at the exporter.
func exemplarsLead(t *testing.T, p prometheus, exporter string) {
	t.Helper()
	var answer struct {
		Data []struct {
			Exemplars []struct{ Labels map[string]string }
		}
	}
	query := url.QueryEscape(`probe_phase_duration_seconds{job="one",target="healthy"}`)
	eventually(t, "exemplars", func() (string, bool) {
		getJSON(t, fmt.Sprintf("http://%s/api/v1/query_exemplars?query=%s&start=0&end=9999999999", p.address, query),
			&answer)
		return fmt.Sprint(answer), len(answer.Data) > 0 && len(answer.Data[0].Exemplars) > 0
	})
	last := answer.Data[0].Exemplars
	trace := last[len(last)-1].Labels["trace_id"]
	response, err := http.Get("http://" + exporter + "/history/" + trace)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("GET /history/%s: %s, want the probe's record", trace, response.Status)
	}
}
