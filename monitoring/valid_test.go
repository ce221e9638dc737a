package monitoring

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func strictly(t *testing.T, what string, content []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func readGrafana(t *testing.T, path string) *grafanaDashboard {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var d grafanaDashboard
	strictly(t, path, content, &d)
	return &d
}

// Dashboards have no field that Grafana 10 to 12 do not document, every panel has an id and a place of its own, and grafana.com's variants
// differ from those that are provisioned only by what an import asks for.
func TestDashboardsAreValidForGrafana(t *testing.T) {
	for _, name := range []string{"overview.json", "target.json", "exporter.json"} {
		provisioned := readGrafana(t, filepath.Join("dashboards", name))
		exported := readGrafana(t, filepath.Join("grafana", "export", name))
		if provisioned.SchemaVersion != 38 || provisioned.Inputs != nil || provisioned.Requires != nil || provisioned.Elements != nil {
			t.Errorf("%s: schemaVersion %d, want 38 (Grafana 10.0); __inputs %v and __requires %v, which nothing replaces here", name,
				provisioned.SchemaVersion, provisioned.Inputs, provisioned.Requires)
		}
		ids := map[int]string{}
		checkGrafanaPanels(t, name, provisioned.Panels, ids)
		checkExport(t, name, provisioned, exported)
	}
}

func checkGrafanaPanels(t *testing.T, file string, panels []grafanaPanel, ids map[int]string) {
	t.Helper()
	for i, p := range panels {
		what := file + ", panel " + p.Title
		if p.ID <= 0 || ids[p.ID] != "" {
			t.Errorf("%s: id %d, which is that of %q", what, p.ID, ids[p.ID])
		}
		ids[p.ID] = p.Title
		fields, known := grafanaTypes[p.Type]
		if !known {
			t.Errorf("%s: type %q", what, p.Type)
			continue
		}
		if p.Type != "row" {
			strictly(t, what+", options", p.Options, fields.options())
			strictly(t, what+", custom", p.FieldConfig.Defaults.Custom, fields.custom())
		}
		checkThresholds(t, what, &p)
		for _, other := range panels[:i] {
			if g, o := p.GridPos, other.GridPos; g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H {
				t.Errorf("%s covers %q: %+v, %+v", what, other.Title, g, o)
			}
		}
		if g := p.GridPos; g.X < 0 || g.W < 1 || g.X+g.W > 24 || g.H < 1 || g.Y < 0 {
			t.Errorf("%s: place %+v", what, g)
		}
		checkGrafanaPanels(t, file, p.Panels, ids)
	}
}

// checkThresholds wants the first step to be the base, and the others above each other: Grafana reads them in this order.
func checkThresholds(t *testing.T, what string, p *grafanaPanel) {
	t.Helper()
	for i, step := range p.FieldConfig.Defaults.Thresholds.Steps {
		if (i == 0) != (step.Value == nil) ||
			i > 1 && *step.Value <= *p.FieldConfig.Defaults.Thresholds.Steps[i-1].Value {
			t.Errorf("%s: step %d of the thresholds is not above the one before", what, i)
		}
	}
}

func checkExport(t *testing.T, name string, provisioned, exported *grafanaDashboard) {
	t.Helper()
	if len(exported.Inputs) != 1 || exported.Inputs[0].PluginID != "prometheus" ||
		exported.Templating.List[0].Current.Value != "${"+exported.Inputs[0].Name+"}" {
		t.Errorf("%s: __inputs %+v, and the data source is %+v", name, exported.Inputs, exported.Templating.List[0].Current)
	}
	var types []string
	for _, p := range exported.Panels {
		for _, p := range append(p.Panels, p) {
			if p.Type != "row" && !slices.Contains(types, p.Type) {
				types = append(types, p.Type)
			}
		}
	}
	for _, r := range exported.Requires {
		types = slices.DeleteFunc(types, func(name string) bool { return r.Type == "panel" && r.ID == name })
	}
	if len(types) > 0 {
		t.Errorf("%s: __requires lacks the panels %v", name, types)
	}
	exported.Inputs, exported.Requires, exported.Elements = nil, nil, nil
	exported.Templating.List[0].Current = provisioned.Templating.List[0].Current
	want, err := json.Marshal(provisioned)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(exported); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: the variant for grafana.com has other panels than the one to be provisioned, %v", name, err)
	}
}
