package mixin

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// alertingFiles are the files of Grafana's alerting, by their paths in monitoring/grafana.
func alertingFiles(t *testing.T, config string) map[string]alertingFile {
	t.Helper()
	texts := dashboards(t, "grafanaAlerting", config)
	// Contact points that take the place of others are no file of the same directory.
	whole, err := json.Marshal(dashboards(t, "grafanaContactPoints", config))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]alertingFile{}
	add := func(name string, text []byte) {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		var file alertingFile
		if err := decoder.Decode(&file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files[name] = file
	}
	add("contact-points.yml", whole)
	for name, text := range texts {
		add("alerting/"+name, text)
	}
	return files
}

// Grafana's files that ship are what the mixin makes, have no field that Grafana does not know, and keep to what Grafana
// requires.
func TestGrafanaAlerting(t *testing.T) {
	files := alertingFiles(t, "{}")
	for _, row := range []struct {
		name string
		run  func(*testing.T, map[string]alertingFile)
	}{{"shipped", shippedAlerting}, {"rules", grafanaRules}, {"notifications", grafanaNotifications},
		{"policies", grafanaPolicies}} {
		t.Run(row.name, func(t *testing.T) { row.run(t, files) })
	}
}

func shippedAlerting(t *testing.T, files map[string]alertingFile) {
	about := map[string]string{
		"alerting/rules.yml": "# Grafana-managed rules: the alerts of monitoring/alerts.yml. Prometheus evaluates " +
			"recording.yml and alerts.yml: docs/alerts.md.\n",
		"alerting/policies.yml": "# Notification policies: the routes of monitoring/alertmanager.yml. They take the place " +
			"of all policies of the organisation.\n",
		"alerting/contact-points.yml": "# Contact points: the webhooks of monitoring/alertmanager.yml. " +
			"../contact-points.yml has PagerDuty, Slack and e-mail.\n",
		"contact-points.yml": "# Contact points that take the place of alerting/contact-points.yml: PagerDuty for the " +
			"pager, Slack and e-mail for the team.\n# Grafana's environment has PAGERDUTY_INTEGRATION_KEY, " +
			"SLACK_WEBHOOK_URL and ALERT_ADDRESSES.\n",
		"alerting/mute-timings.yml": "# Mute timings: alerts of severity info wait until Monday.\n",
		"alerting/templates.yml":    "# Notification templates, which the contact points use.\n",
	}
	for name, file := range files {
		want := bytes.NewBufferString(about[name] + "# Made from monitoring/mixin: go test -C tools/mixin ./... -update " +
			"writes it.\n")
		if about[name] == "" {
			t.Errorf("%s has no sentence about it", name)
		}
		encoder := yaml.NewEncoder(want)
		encoder.SetIndent(2)
		if err := encoder.Encode(file); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(monitoring, "grafana", name)
		if *update {
			if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s differs from monitoring/mixin; run: go test -C tools/mixin ./... -update", path)
		}
	}
	shipped, err := filepath.Glob(filepath.Join(monitoring, "grafana", "alerting", "*"))
	if err != nil || len(shipped) != len(files)-1 {
		t.Errorf("monitoring/grafana/alerting has %q, %v, want the %d files of the mixin", shipped, err, len(files)-1)
	}
}

// The policies name contact points and mute timings that there are, and settings are those of their integration.
func grafanaNotifications(t *testing.T, files map[string]alertingFile) {
	points, receivers, timings := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range files["alerting/mute-timings.yml"].MuteTimes {
		timings[m.Name] = true
	}
	for _, name := range []string{"alerting/contact-points.yml", "contact-points.yml"} {
		for _, c := range files[name].ContactPoints {
			points[name+c.Name] = true
			for _, r := range c.Receivers {
				if receivers[name+r.UID] || r.UID == "" {
					t.Errorf("%s: two receivers with the uid %q", name, r.UID)
				}
				receivers[name+r.UID] = true
				known, there := settings[r.Type]
				if !there {
					t.Errorf("%s: %s is of the type %s", name, r.UID, r.Type)
				}
				for setting := range r.Settings {
					if _, there := known[setting]; !there {
						t.Errorf("%s: %s has no setting %s", name, r.Type, setting)
					}
				}
				for setting, required := range known {
					if required && (r.Settings[setting] == nil || r.Settings[setting] == "") {
						t.Errorf("%s: %s lacks %s", name, r.UID, setting)
					}
				}
			}
		}
	}
	var check func(policy)
	check = func(p policy) {
		for _, file := range []string{"alerting/contact-points.yml", "contact-points.yml"} {
			if p.Receiver == "" || !points[file+p.Receiver] {
				t.Errorf("%s has no contact point %q", file, p.Receiver)
			}
		}
		for _, name := range p.MuteTimeIntervals {
			if !timings[name] {
				t.Errorf("no mute timing %q", name)
			}
		}
		for _, m := range p.ObjectMatchers {
			if len(m) != 3 || !slices.Contains([]string{"=", "!=", "=~", "!~"}, m[1]) {
				t.Errorf("matcher %q, want label, operator and value", m)
			}
		}
		for _, route := range p.Routes {
			check(route)
		}
	}
	check(files["alerting/policies.yml"].Policies[0])
}

// The policies are Alertmanager's routes.
func grafanaPolicies(t *testing.T, files map[string]alertingFile) {
	text, err := os.ReadFile(filepath.Join(monitoring, "alertmanager.yml"))
	if err != nil {
		t.Fatal(err)
	}
	type route struct {
		Receiver       string
		GroupBy        []string `yaml:"group_by"`
		Matchers       []string
		Continue       bool
		GroupWait      string `yaml:"group_wait"`
		GroupInterval  string `yaml:"group_interval"`
		RepeatInterval string `yaml:"repeat_interval"`
		Routes         []route
	}
	var alertmanager struct{ Route route }
	if err := yaml.Unmarshal(text, &alertmanager); err != nil {
		t.Fatal(err)
	}
	var compare func(policy, route)
	compare = func(p policy, r route) {
		var matchers []string
		for _, m := range p.ObjectMatchers {
			matchers = append(matchers, m[0]+m[1]+`"`+m[2]+`"`)
		}
		got := route{p.Receiver, p.GroupBy, matchers, p.Continue, p.GroupWait, p.GroupInterval, p.RepeatInterval, nil}
		want := r
		want.Routes = nil
		if a, b := mustJSON(t, got), mustJSON(t, want); a != b || len(p.Routes) != len(r.Routes) {
			t.Errorf("policy %s with %d routes, Alertmanager has %s with %d", a, len(p.Routes), b, len(r.Routes))
			return
		}
		for i := range p.Routes {
			compare(p.Routes[i], r.Routes[i])
		}
	}
	compare(files["alerting/policies.yml"].Policies[0], alertmanager.Route)
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What users configure arrives in Grafana's rules.
func TestGrafanaConfiguration(t *testing.T) {
	files := alertingFiles(t, `{grafanaDatasource: "mimir", grafanaFolder: "Probes", grafanaOrganisation: 3,
		grafanaInterval: "40s", runbookURL: "https://wiki.example.org/errno"}`)
	for _, row := range []struct{ file, want string }{
		{"alerting/rules.yml", `"datasourceUid":"mimir"`},
		{"alerting/rules.yml", `"folder":"Probes","interval":"40s"`},
		{"alerting/rules.yml", `https://wiki.example.org/errno#errnoegressdown`},
		{"alerting/policies.yml", `"orgId":3`},
	} {
		if text := mustJSON(t, files[row.file]); !strings.Contains(text, row.want) {
			t.Errorf("%s lacks %s", row.file, row.want)
		}
	}
}
