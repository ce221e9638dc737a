package mixin

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-jsonnet"
)

// dashboards evaluates a field of the mixin that has dashboards by the names of their files.
func dashboards(t *testing.T, field, config string) map[string]json.RawMessage {
	t.Helper()
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{filepath.Join(monitoring, "mixin")}})
	text, err := vm.EvaluateAnonymousSnippet(field, `((import "mixin.libsonnet") + {_config+:: `+config+`}).`+field)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(text), &files); err != nil {
		t.Fatal(err)
	}
	return files
}

// The dashboards that ship are what the mixin makes without a configuration of one's own.
func TestShippedDashboards(t *testing.T) {
	for field, dir := range map[string]string{
		"grafanaDashboards": "dashboards",
		"grafanaExports":    "grafana/export",
	} {
		files := dashboards(t, field, "{}")
		for name, dashboard := range files {
			var content any // jsonnet writes 0.99 with 17 digits, Go with two
			if err := json.Unmarshal(dashboard, &content); err != nil {
				t.Fatal(err)
			}
			var want bytes.Buffer
			encoder := json.NewEncoder(&want)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(content); err != nil {
				t.Fatal(err)
			}
			checkShipped(t, filepath.Join(monitoring, dir, name), want.Bytes())
		}
		shipped, err := filepath.Glob(filepath.Join(monitoring, dir, "*.json"))
		if err != nil || len(shipped) != len(files) {
			t.Errorf("%s has %d dashboards, %v, and the mixin %d", dir, len(shipped), err, len(files))
		}
	}
}

func checkShipped(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from monitoring/mixin; run: go test -C tools/mixin ./... -update", path)
	}
}

// What users configure arrives in the dashboards.
func TestDashboardConfiguration(t *testing.T) {
	for _, row := range []struct{ config, dashboard, want string }{
		{`{dashboardSelector: 'cluster="a"'}`, "overview.json", `count((probe_success{cluster=\"a\", job=~\"$job\", `},
		{`{dashboardSelector: 'cluster="a"'}`, "target.json", `label_values(probe_success{cluster=\"a\", job=~\"$job\", `},
		{`{dashboardSource: "mimir"}`, "target.json", `{"selected":true,"text":"mimir","value":"mimir"}`},
		{`{dashboardTop: 30}`, "overview.json", `"current":{"selected":true,"text":"30","value":"30"}`},
		{`{dashboardExporterURL: "https://probes.example.org"}`, "target.json", `\"external_url\", \"https://probes.example.org\", `},
		{`{dashboardFrom: "now-1d"}`, "exporter.json", `"from":"now-1d"`},
		{`{dashboardRefresh: "1m"}`, "exporter.json", `"refresh":"1m"`},
		{`{targetLabels: ["team", "service"]}`, "overview.json", "group_left (team, service)"},
		{`{objective: "99.9"}`, "target.json", `{"color":"green","value":0.999}`},
		{`{certificateWarningDays: 30}`, "overview.json", `{"color":"green","value":2592000}`},
	} {
		var got bytes.Buffer
		if err := json.Compact(&got, dashboards(t, "grafanaDashboards", row.config)[row.dashboard]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(got.Bytes(), []byte(row.want)) {
			t.Errorf("with %s %s lacks %s", row.config, row.dashboard, row.want)
		}
	}
}
