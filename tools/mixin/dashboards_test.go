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
	files := dashboards(t, "grafanaDashboards", "{}")
	shipped, err := filepath.Glob(filepath.Join(monitoring, "dashboards", "*.json"))
	if err != nil || len(shipped) != len(files) {
		t.Errorf("%d dashboards ship, %v, and the mixin has %d", len(shipped), err, len(files))
	}
	for name, dashboard := range files {
		var want bytes.Buffer
		if err := json.Indent(&want, dashboard, "", "  "); err != nil {
			t.Fatal(err)
		}
		want.WriteByte('\n')
		path := filepath.Join(monitoring, "dashboards", name)
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
}
