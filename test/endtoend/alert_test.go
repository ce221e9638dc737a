package endtoend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// notified is an alert as Alertmanager tells a webhook of it.
type notified struct {
	Status      string
	Labels      map[string]string
	Annotations map[string]string
}

// webhook is a receiver of notifications.
type webhook struct {
	url string

	mu  sync.Mutex // guards all
	all []notified
}

func newWebhook(t *testing.T) *webhook {
	t.Helper()
	w := &webhook{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var notification struct{ Alerts []notified }
		if err := json.NewDecoder(r.Body).Decode(&notification); err != nil {
			t.Errorf("notification: %v", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = append(w.all, notification.Alerts...)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// find is the last notification of an alert in a status, nil if there was none.
func (w *webhook) find(alert, target, status string) *notified {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.all) - 1; i >= 0; i-- {
		if n := &w.all[i]; n.Labels["alertname"] == alert && n.Labels["target"] == target && n.Status == status {
			return n
		}
	}
	return nil
}

// names are the alerts that fired so far.
func (w *webhook) names() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, n := range w.all {
		names = append(names, n.Status+" "+n.Labels["alertname"]+" "+n.Labels["target"])
	}
	return strings.Join(names, ", ")
}

// alertmanagers are the releases of Alertmanager, each with the Prometheus of its time.
var alertmanagers = []struct{ name, program, how string }{
	{"Debian's 0.25", "prometheus-alertmanager", "apt-get install prometheus-alertmanager"},
	{"0.31", "alertmanager-31", "make tools"},
}

// minutes are the durations of the shipped files. A test has no minutes: it reads them as seconds, all alike.
var minutes = regexp.MustCompile(`(\[|: |offset )(\d+)m\b`)

func inSeconds(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "monitoring", file))
	if err != nil {
		t.Fatal(err)
	}
	return minutes.ReplaceAllStringFunc(string(content), func(found string) string {
		return strings.TrimSuffix(found, "m") + "s"
	})
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startAlertmanager runs it by the shipped configuration, with a webhook in the place of the receivers.
func startAlertmanager(t *testing.T, path string, hook *webhook) string {
	t.Helper()
	dir, address := t.TempDir(), faultlab.UnusedAddress(t)
	text := strings.ReplaceAll(inSeconds(t, "alertmanager.yml"), "http://127.0.0.1:9099/", hook.url+"/")
	text = strings.ReplaceAll(text, "group_wait: 15s", "group_wait: 1s")
	start(t, "http://"+address+"/-/ready", path, "--config.file="+write(t, dir, "alertmanager.yml", text),
		"--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--cluster.listen-address=")
	return address
}

// A healthy API begins to reset connections: the alerts that arrive name target, phase, reason and errno; they resolve
// when it recovers.
func TestAlertArrivesAndResolves(t *testing.T) {
	for i, row := range alertmanagers {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			alertmanager := find(t, row.program, row.how)
			prom := find(t, prometheuses[i].program, prometheuses[i].how)
			var broken atomic.Bool
			healthy := faultlab.Handler(t, faultlab.Healthy)
			payments := faultlab.ResetWhen(t, broken.Load)
			dir, hook := t.TempDir(), newWebhook(t)
			address := faultlab.UnusedAddress(t)
			start(t, "http://"+address+"/-/ready", exporter, "--web.listen-address="+address, "--config.file="+write(t, dir, "exporter.yml", fmt.Sprintf(`
modules:
  api: {prober: http, timeout: 500ms}
targets:
  - {name: payments, url: %q, module: api, labels: {team: billing}}
  - {name: mail, url: %q, module: api}
`, payments, healthy)))
			p := startPrometheus(t, prom, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ["%s"]
alerting:
  alertmanagers:
    - static_configs:
        - targets: [%q]
scrape_configs:
  - job_name: apis
    static_configs:
      - targets: [%q]
        labels: {vantage: eu}
`, strings.Join(shippedRules(t), `", "`),
				startAlertmanager(t, alertmanager, hook), address))
			eventually(t, "payments is healthy", func() (string, bool) {
				got := p.vector(t, `count_over_time((probe_success == 1)[10s:1s]) > bool 4`, "target")
				return fmt.Sprint(got), got["payments"] == "1" && got["mail"] == "1"
			})
			broken.Store(true)
			wants(t, hook, "ErrnoConnectionReset", "firing", map[string]string{
				"target": "payments", "phase": "processing", "reason": "tcp.reset", "errno": "ECONNRESET",
				"vantage": "eu", "severity": "warning"},
				"payments: connection reset by the peer while waiting for the response (ECONNRESET)")
			wants(t, hook, "ErrnoTargetFailing", "firing", map[string]string{
				"target": "payments", "phase": "processing", "reason": "tcp.reset", "errno": "ECONNRESET",
				"origin": "peer", "vantage": "eu", "severity": "critical"},
				"payments: connection reset by the peer while waiting for the response (ECONNRESET)")
			broken.Store(false)
			wants(t, hook, "ErrnoTargetFailing", "resolved", map[string]string{"target": "payments"},
				"payments: connection reset by the peer while waiting for the response (ECONNRESET)")
			wants(t, hook, "ErrnoConnectionReset", "resolved", map[string]string{"target": "payments"},
				"payments: connection reset by the peer while waiting for the response (ECONNRESET)")
			if names := hook.names(); strings.Contains(names, "mail") {
				t.Errorf("alerts of the healthy API: %s", names)
			}
		})
	}
}

// wants waits for a notification and compares what it says.
func wants(t *testing.T, hook *webhook, alert, status string, labels map[string]string, summary string) {
	t.Helper()
	eventually(t, alert+" is "+status, func() (string, bool) {
		return hook.names(),
			hook.find(alert, labels["target"], status) != nil
	})
	got := hook.find(alert, labels["target"], status)
	for name, want := range labels {
		if got.Labels[name] != want {
			t.Errorf("%s: label %s is %q, want %q", alert, name, got.Labels[name], want)
		}
	}
	if got.Annotations["summary"] != summary {
		t.Errorf("%s: summary %q, want %q", alert, got.Annotations["summary"], summary)
	}
}

// muted are the alerts that Alertmanager holds back, by name, target and vantage.
func muted(t *testing.T, address string) map[string]bool {
	t.Helper()
	var all []struct {
		Labels map[string]string
		Status struct{ State string }
	}
	getJSON(t, "http://"+address+"/api/v2/alerts", &all)
	got := map[string]bool{}
	for _, a := range all {
		got[strings.Join([]string{a.Labels["alertname"], a.Labels["target"], a.Labels["vantage"]},
			" ")] = a.Status.State == "suppressed"
	}
	return got
}

// The shipped inhibition, in the real Alertmanager: egress down mutes the alerts of its own vantage only, what is
// critical mutes the warnings of the same target only, except for certificates, a target that fails mutes its error
// budget, and one that fails everywhere mutes those of single places.
func TestInhibition(t *testing.T) {
	for _, row := range alertmanagers {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			address := startAlertmanager(t, find(t, row.program, row.how), newWebhook(t))
			type labels = map[string]string
			var alerts []map[string]any
			add := func(l labels) {
				alerts = append(alerts, map[string]any{"labels": l, "endsAt": time.Now().Add(time.Hour)})
			}
			of := func(alert, severity, vantage, target string) {
				add(labels{"alertname": alert, "severity": severity, "vantage": vantage, "target": target, "api": target,
					"job": "apis", "instance": "exporter"})
			}
			add(labels{"alertname": "ErrnoEgressDown", "severity": "critical", "vantage": "eu"})
			of("ErrnoTargetFailing", "critical", "eu", "payments")
			of("ErrnoConnectionReset", "warning", "eu", "payments")
			of("ErrnoCertificateExpiresSoon", "warning", "eu", "mail")
			of("ErrnoTargetFailing", "critical", "us", "payments")
			of("ErrnoConnectionReset", "warning", "us", "payments")
			of("ErrnoConnectionReset", "warning", "us", "mail")
			add(labels{"alertname": "ErrnoExporterDown", "severity": "critical", "vantage": "ap", "job": "apis",
				"instance": "exporter"})
			of("ErrnoTargetFailing", "critical", "ap", "payments")
			of("ErrnoCertificateExpiring", "critical", "us", "shop")
			of("ErrnoConnectionReset", "warning", "us", "shop")
			of("ErrnoTargetFailing", "info", "us", "wiki")
			of("ErrnoErrorBudgetBurnsFast", "info", "us", "wiki")
			of("ErrnoErrorBudgetBurnsFast", "info", "us", "mail")
			add(labels{"alertname": "ErrnoTargetFailingEverywhere", "severity": "critical", "vantage": "default",
				"job": "apis", "api": "bank"})
			of("ErrnoTargetFailing", "critical", "us", "bank")
			of("ErrnoTargetFailing", "critical", "af", "bank")
			body, err := json.Marshal(alerts)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.Post("http://"+address+"/api/v2/alerts", "application/json",
				strings.NewReader(string(body)))
			if err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("%v %v", response, err)
			}
			_ = response.Body.Close()
			want := map[string]bool{
				"ErrnoEgressDown  eu": false, "ErrnoTargetFailing payments eu": true,
				"ErrnoConnectionReset payments eu":    true,
				"ErrnoCertificateExpiresSoon mail eu": false,
				"ErrnoTargetFailing payments us":      false, "ErrnoConnectionReset payments us": true,
				"ErrnoConnectionReset mail us": false,
				"ErrnoExporterDown  ap":        false, "ErrnoTargetFailing payments ap": true,
				"ErrnoCertificateExpiring shop us": false, "ErrnoConnectionReset shop us": false,
				"ErrnoTargetFailing wiki us": false, "ErrnoErrorBudgetBurnsFast wiki us": true,
				"ErrnoErrorBudgetBurnsFast mail us":     false,
				"ErrnoTargetFailingEverywhere  default": false,
				"ErrnoTargetFailing bank us":            true, "ErrnoTargetFailing bank af": true,
			}
			eventually(t, "inhibition", func() (string, bool) {
				got := muted(t, address)
				diff := ""
				for alert, is := range want {
					if got[alert] != is {
						diff += fmt.Sprintf("%s: muted %t, want %t; ", alert, got[alert], is)
					}
				}
				return diff + fmt.Sprint(got), diff == "" && len(got) == len(want)
			})
		})
	}
}
