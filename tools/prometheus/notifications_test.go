package prometheus

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/template"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write testdata/notifications.golden")

// notification is what Grafana's notification templates get: the data of Alertmanager's, and more of each alert.
// https://grafana.com/docs/grafana/latest/alerting/configure-notifications/template-notifications/reference/
type notification struct {
	Receiver, Status, ExternalURL                string
	Alerts                                       notified
	GroupLabels, CommonLabels, CommonAnnotations template.KV
}

type notifiedAlert struct {
	Status                                          string
	Labels, Annotations                             template.KV
	StartsAt, EndsAt                                time.Time
	GeneratorURL, Fingerprint, SilenceURL, PanelURL string
	DashboardURL, ValueString                       string
	Values                                          map[string]float64
}

type notified []notifiedAlert

func (all notified) in(status string) []notifiedAlert {
	var found []notifiedAlert
	for _, a := range all {
		if a.Status == status {
			found = append(found, a)
		}
	}
	return found
}

func (all notified) Firing() []notifiedAlert   { return all.in("firing") }
func (all notified) Resolved() []notifiedAlert { return all.in("resolved") }

// common are the pairs that all alerts have.
func common(all notified, of func(notifiedAlert) template.KV) template.KV {
	found := template.KV{}
	for name, value := range of(all[0]) {
		found[name] = value
		for _, a := range all {
			if of(a)[name] != value {
				delete(found, name)
			}
		}
	}
	return found
}

func notify(all ...notifiedAlert) notification {
	n := notification{Receiver: "team", Status: "resolved", ExternalURL: "https://grafana.example.com/", Alerts: all,
		CommonLabels:      common(all, func(a notifiedAlert) template.KV { return a.Labels }),
		CommonAnnotations: common(all, func(a notifiedAlert) template.KV { return a.Annotations })}
	if len(n.Alerts.Firing()) > 0 {
		n.Status = "firing"
	}
	return n
}

var (
	failingAlert = notifiedAlert{Status: "firing", StartsAt: time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC),
		Labels: template.KV{"alertname": "ErrnoTargetFailing", "api": "payments", "target": "payments", "severity": "critical",
			"team": "billing", "vantage": "eu", "reason": "tcp.reset", "phase": "processing", "grafana_folder": "errno_exporter"},
		Annotations: template.KV{
			"summary":     "payments: connection reset by the peer while waiting for the response (ECONNRESET)",
			"description": "No probe succeeded in the last two minutes. <& phase=processing",
			"cause":       "server_aborts", "party": "server", "confidence": "high",
			"dashboard_url": "https://grafana.example.com/d/errno-target?var-job=apis&var-target=payments",
			"runbook_url":   "https://runbooks.example.com/runbook.md#errnotargetfailing"},
		Values: map[string]float64{"A": 1, "B": 1}, SilenceURL: "https://grafana.example.com/alerting/silence/new?alertmanager=grafana",
		DashboardURL: "https://grafana.example.com/d/errno-target", PanelURL: "https://grafana.example.com/d/errno-target?viewPanel=7"}
	// What Grafana sends while Prometheus does not answer.
	noPrometheus = notifiedAlert{Status: "firing", StartsAt: failingAlert.StartsAt,
		Labels: template.KV{"alertname": "DatasourceError", "rulename": "ErrnoExporterAbsent", "severity": "critical",
			"datasource_uid": "prometheus", "ref_id": "A"},
		Annotations: template.KV{"summary": "No errno_exporter is scraped", "Error": "[sse.dataQueryError] connection refused"}}
	bare = notifiedAlert{Status: "firing", StartsAt: failingAlert.StartsAt, Labels: template.KV{"alertname": "DatasourceNoData"},
		Annotations: template.KV{}}
)

// Every setting of every contact point is rendered with the documented data, by Alertmanager's templates, which
// Grafana's are: one alert; two, one of them resolved; those that Grafana makes itself; one without any annotation.
func TestNotifications(t *testing.T) {
	var file struct{ Templates []struct{ Template string } }
	readYAML(t, "../../monitoring/grafana/alerting/templates.yml", &file)
	templates, err := template.New()
	if err == nil {
		err = templates.Parse(strings.NewReader(file.Templates[0].Template))
	}
	if err != nil {
		t.Fatal(err)
	}
	resolved := failingAlert
	resolved.Status, resolved.EndsAt = "resolved", failingAlert.StartsAt.Add(time.Hour)
	resolved.Labels = template.KV{"alertname": "ErrnoConnectionReset", "api": "payments", "severity": "warning", "vantage": "us"}
	var got strings.Builder
	for _, row := range []struct {
		name string
		data notification
	}{
		{"one alert", notify(failingAlert)}, {"two, one resolved", notify(failingAlert, resolved)}, {"resolved", notify(resolved)},
		{"Prometheus does not answer", notify(noPrometheus)}, {"no annotation", notify(bare)},
	} {
		got.WriteString(renderAll(t, templates, row.name, row.data))
	}
	const golden = "testdata/notifications.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the notifications differ from %s; run: go test -C tools/prometheus -run Notifications -update\n%s", golden, got.String())
	}
	if strings.Contains(got.String(), "no value") {
		t.Error("a notification has no value where a template expects one")
	}
}

// renderAll is what each setting of each contact point becomes.
func renderAll(t *testing.T, templates *template.Template, name string, data notification) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"alerting/contact-points.yml", "contact-points.yml"} {
		var points struct {
			ContactPoints []struct {
				Receivers []struct {
					UID      string
					Settings yamlMap
				}
			} `yaml:"contactPoints"`
		}
		readYAML(t, "../../monitoring/grafana/"+path, &points)
		for _, p := range points.ContactPoints {
			for _, r := range p.Receivers {
				for _, s := range r.Settings {
					text, err := templates.ExecuteTextString(s.value, data)
					if err != nil {
						t.Errorf("%s, %s of %s: %v", name, s.name, r.UID, err)
					}
					if text != s.value { // without a template there is nothing to see
						fmt.Fprintf(&all, "== %s: %s, %s\n%s\n", name, r.UID, s.name, strings.TrimRight(text, "\n"))
					}
				}
			}
		}
	}
	return all.String()
}

// yamlMap is a mapping in the order of its file.
type yamlMap []struct{ name, value string }

func (m *yamlMap) UnmarshalYAML(node *yaml.Node) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		*m = append(*m, struct{ name, value string }{node.Content[i].Value, node.Content[i+1].Value})
	}
	return nil
}
