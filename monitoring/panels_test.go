package monitoring

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// sample is what a query returns, as promtool's unit tests have it.
type sample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

// series is the input of a unit test, a sample each 15 s.
type series struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

const (
	apis, build, failing = `{job="apis", instance="a:10104"}`, "errno_exporter_build_info", `{state="failing"}`
	deadExporter         = "1x20 stale"
)

// exporterSeries is an exporter with one target.
func exporterSeries(labels, up, others string, success string) []series {
	target := strings.Replace(labels, "}", `, target="t"}`, 1)
	return []series{{"up" + labels, up}, {build + labels, others}, {"probe_reliable" + target, others},
		{"probe_success" + target, success}}
}

// Panels on the state of things do not show a dead exporter as one without failures: nothing is known then.
func TestDashboardsShowWhatIsUnknown(t *testing.T) {
	other := strings.Replace(apis, "a:", "b:", 1)
	up := func(labels string, value float64) sample { return sample{"up" + labels, value} }
	unknown := sample{`{state="unknown"}`, 1}
	for _, row := range []struct {
		name        string
		input       []series
		failing, up []sample
	}{
		{"nothing fails", exporterSeries(apis, "1x40", "1x40", "1x40"), []sample{{failing, 0}},
			[]sample{up(apis, 1)}},
		{"a target fails", exporterSeries(apis, "1x40", "1x40", "0x40"), []sample{{failing, 1}},
			[]sample{up(apis, 1)}},
		{"the exporter is dead", exporterSeries(apis, "1x20 0x20", deadExporter, deadExporter),
			[]sample{{failing, -1}, unknown}, []sample{up(apis, 0)}},
		{"one of two is dead", append(exporterSeries(apis, "1x20 0x20", deadExporter, deadExporter),
			exporterSeries(other, "1x40", "1x40", "1x40")...),
			[]sample{{failing, 0}, unknown}, []sample{up(apis, 0), up(other, 1)}},
		{"nothing is scraped", exporterSeries(apis, deadExporter, deadExporter, deadExporter),
			[]sample{{failing, -1}}, []sample{{"{}", -1}}},
		{"another job is dead", append(exporterSeries(apis, "1x40", "1x40", "1x40"),
			series{`up{job="node", instance="host:9100"}`, "0x40"}), []sample{{failing, 0}}, []sample{up(apis, 1)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			checkQueries(t, row.input, map[string][]sample{
				panelQuery(t, "overview.json", "Failing now"): row.failing,
				panelQuery(t, "exporter.json", "Up"):          row.up,
			})
		})
	}
}

// panelQuery is the query of a panel, which shows -1 as missing data, in red.
func panelQuery(t *testing.T, file, title string) string {
	t.Helper()
	p := panelOf(t, file, title)
	m := p.FieldConfig.Defaults.Mappings
	if len(m) != 1 || m[0].Type != "value" || m[0].Options["-1"].Text != "no data" || m[0].Options["-1"].Color != "red" {
		t.Fatalf("panel %q: mappings %+v, want -1 as no data in red", title, m)
	}
	return queryOf(t, file, title)
}

// queryOf is the one query of a panel, with values of the variables.
func queryOf(t *testing.T, file, title string) string {
	t.Helper()
	p := panelOf(t, file, title)
	if len(p.Targets) != 1 {
		t.Fatalf("panel %q: %d queries, want one", title, len(p.Targets))
	}
	return strings.NewReplacer("$job", "apis", "$instance", ".+", "$target", ".*", "$top", "2", "$__interval", "2m",
		"$__range", "5m").Replace(p.Targets[0].Expr)
}

func panelOf(t *testing.T, file, title string) *grafanaPanel {
	t.Helper()
	d := readGrafana(t, filepath.Join("dashboards", file))
	for _, p := range d.Panels {
		for _, p := range append(p.Panels, p) {
			if p.Title == title {
				return &p
			}
		}
	}
	t.Fatalf("%s has no panel %q", file, title)
	return nil
}

// checkQueries compares what queries return nine minutes after the beginning of the input.
func checkQueries(t *testing.T, input []series, want map[string][]sample) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		program, err = exec.LookPath("../.tools/promtool-3")
	}
	if err != nil {
		t.Skip("there is no promtool: make tools")
	}
	var queries []map[string]any
	for query, samples := range want {
		queries = append(queries, map[string]any{"expr": query, "eval_time": "9m", "exp_samples": samples})
	}
	rules, err := filepath.Abs("recording.yml")
	if err != nil {
		t.Fatal(err)
	}
	content, err := yaml.Marshal(map[string]any{"rule_files": []string{rules}, "evaluation_interval": "15s",
		"tests": []any{map[string]any{"interval": "15s", "input_series": input, "promql_expr_test": queries}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "test", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
