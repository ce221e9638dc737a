// Package mixin renders the rules of monitoring/mixin into the files that ship.
package mixin

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-jsonnet"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "write the files of monitoring/ instead of comparing them")

const monitoring = "../../monitoring"

// group is a group of rules, in the order in which a file has its keys.
type group struct {
	Name     string `json:"name" yaml:"name"`
	Interval string `json:"interval" yaml:"interval,omitempty"`
	Rules    []rule `json:"rules" yaml:"rules"`
}

type rule struct {
	Record        string            `json:"record" yaml:"record,omitempty"`
	Alert         string            `json:"alert" yaml:"alert,omitempty"`
	Expr          string            `json:"expr" yaml:"expr"`
	For           string            `json:"for" yaml:"for,omitempty"`
	KeepFiringFor string            `json:"keep_firing_for" yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `json:"labels" yaml:"labels,omitempty"`
	Annotations   map[string]string `json:"annotations" yaml:"annotations,omitempty"`
}

// render evaluates a field of the mixin with a configuration.
func render(t *testing.T, field, config string) []group {
	t.Helper()
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{filepath.Join(monitoring, "mixin")}})
	text, err := vm.EvaluateAnonymousSnippet(field, `((import "mixin.libsonnet") + {_config+:: `+config+`}).`+field)
	if err != nil {
		t.Fatal(err)
	}
	var rules struct{ Groups []group }
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rules); err != nil {
		t.Fatalf("%s: %v", field, err)
	}
	return rules.Groups
}

// The rules that ship are what the mixin makes without a configuration of one's own.
func TestShippedRules(t *testing.T) {
	for _, file := range []struct{ name, field, about string }{
		{"recording.yml", "prometheusRules", "# Recording rules of errno_exporter: the expressions that alerts and " +
			"dashboards share."},
		{"alerts.yml", "prometheusAlerts", "# Alert rules of errno_exporter. They require recording.yml, and scrape " +
			"intervals of at most a minute.\n# Replace https://runbooks.example.com and https://grafana.example.com " +
			"with yours: monitoring/mixin/config.libsonnet, or\n#\n" +
			"#\tsed -i 's#https://runbooks.example.com#…#; s#https://grafana.example.com#…#' alerts.yml\n#"},
	} {
		want := bytes.NewBufferString(file.about + "\n# Made from monitoring/mixin: go test -C tools/mixin ./... " +
			"-update writes it.\n")
		encoder := yaml.NewEncoder(want)
		encoder.SetIndent(2)
		if err := encoder.Encode(struct {
			Groups []group `yaml:"groups"`
		}{render(t, file.field, "{}")}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(monitoring, file.name)
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
			t.Errorf("%s differs from monitoring/mixin; run: go test -C tools/mixin ./... -update", file.name)
		}
	}
}

// What users configure arrives in the rules.
func TestConfiguration(t *testing.T) {
	for _, row := range []struct{ config, field, alert, want string }{
		{`{targetLabels: ["team", "service"]}`, "prometheusAlerts", "ErrnoTargetFailing",
			"group_left (severity, team, service)"},
		{`{exporterSelector: 'job="errno"'}`, "prometheusAlerts", "ErrnoExporterDown", `up{job="errno"} == 0`},
		{`{runbookURL: "https://wiki.example.org/errno"}`, "prometheusAlerts", "ErrnoEgressDown",
			"https://wiki.example.org/errno{{ end }}#errnoegressdown"},
		{`{grafanaURL: "https://g.example.org"}`, "prometheusAlerts", "ErrnoEgressDown",
			"https://g.example.org/d/errno-overview"},
		{`{dashboardSource: "prom-eu"}`, "prometheusAlerts", "ErrnoTargetFailing",
			"/d/errno-target?var-datasource=prom-eu&var-job={{"},
		{`{dashboardSource: "prom-eu"}`, "prometheusAlerts", "ErrnoEgressDown",
			"/d/errno-overview?var-datasource=prom-eu"},
		{`{certificateWarningDays: 30}`, "prometheusAlerts", "ErrnoCertificateExpiresSoon", "0 + 30 * 86400"},
		{`{certificateCriticalPercent: 10}`, "prometheusAlerts", "ErrnoCertificateExpiring", "_seconds * 10 / 100, 3"},
		{`{objective: "99.9"}`, "prometheusRules", "target:probe_objective:ratio",
			"(target:probe_success:last) >= bool 0) * 99.9 / 100"},
	} {
		found := false
		for _, g := range render(t, row.field, row.config) {
			for _, r := range g.Rules {
				if r.Alert+r.Record != row.alert {
					continue
				}
				text, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				want, err := json.Marshal(row.want)
				if err != nil {
					t.Fatal(err)
				}
				found = found || bytes.Contains(text, want[1:len(want)-1])
			}
		}
		if !found {
			t.Errorf("with %s no rule %s has %s", row.config, row.alert, row.want)
		}
	}
}
