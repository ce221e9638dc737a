package monitoring

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dashboard is what the rules look at.
type dashboard struct {
	UID, Title, Description string
	Editable                bool
	Templating              struct {
		List []struct {
			Name, Type, AllValue string
			Multi                bool
			Query                any
			Refresh              int
		}
	}
	Links  []struct{ IncludeVars, KeepTime bool }
	Panels []panel
}

// shown are the panels of a dashboard, those in collapsed rows included, without the rows.
func (d *dashboard) shown() []panel {
	var all []panel
	for _, p := range d.Panels {
		if p.Type != "row" {
			all = append(all, p)
		}
		all = append(all, p.Panels...)
	}
	return all
}

type panel struct {
	Type, Title, Description string
	// Interval is the least step of the queries.
	Interval    string
	Datasource  struct{ Type, UID string }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Targets     []struct {
		Datasource struct{ Type, UID string }
		Expr       string
	}
	// Panels are those of a collapsed row.
	Panels []panel
}

// selector is one of the selectors of a query: a metric's name and its matchers.
// Series of a vantage, which are of no job, are left out.
var selector = regexp.MustCompile(`(?:\b|(vantage:))(?:instance:|target:)?(?:probe|errno_exporter|process|go|up|scrape)` +
	`[a-z_:]*(\{[^}]*\})?`)

// The rules of dashboard-linter, and the panels that Grafana's own components can draw for the README.
func TestDashboardsKeepToTheRules(t *testing.T) {
	files, err := filepath.Glob("dashboards/*.json")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d dashboards, %v, want 3", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var d dashboard
			if err := json.Unmarshal(content, &d); err != nil {
				t.Fatal(err)
			}
			if d.Editable || d.UID == "" || d.Title == "" || d.Description == "" {
				t.Errorf("editable %t, uid %q, title %q, description %q", d.Editable, d.UID, d.Title, d.Description)
			}
			for _, link := range d.Links {
				if !link.IncludeVars || !link.KeepTime {
					t.Errorf("a link to the other dashboards loses the variables or the time: %+v", link)
				}
			}
			checkVariables(t, &d)
			for _, p := range d.shown() {
				checkPanel(t, &p)
			}
		})
	}
}

func checkVariables(t *testing.T, d *dashboard) {
	t.Helper()
	sources := 0
	for _, v := range d.Templating.List {
		if v.Type == "datasource" {
			sources++
			if v.Name != "datasource" || v.Query != "prometheus" {
				t.Errorf("variable %s of the data source asks for %v", v.Name, v.Query)
			}
		}
		if (v.Name == "job" || v.Name == "instance") && (!v.Multi || v.AllValue != ".+" || v.Refresh != 2) {
			t.Errorf("variable %s: multi %t, allValue %q, refresh %d, want true, .+, 2", v.Name, v.Multi, v.AllValue,
				v.Refresh)
		}
	}
	names := func(name string) bool {
		for _, v := range d.Templating.List {
			if v.Name == name {
				return true
			}
		}
		return false
	}
	if sources != 1 || !names("job") || !names("instance") {
		t.Errorf("%d data sources, job %t, instance %t, want one of each", sources, names("job"), names("instance"))
	}
}

func checkPanel(t *testing.T, p *panel) {
	t.Helper()
	if !slices.Contains([]string{"timeseries", "stat", "table", "bargauge", "state-timeline", "heatmap"}, p.Type) {
		t.Errorf("panel %q is a %s", p.Title, p.Type)
	}
	if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" ||
		p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
		t.Errorf("panel %q: description %q, unit %q, datasource %q, %d queries", p.Title, p.Description,
			p.FieldConfig.Defaults.Unit, p.Datasource.UID, len(p.Targets))
	}
	for _, q := range p.Targets {
		if q.Datasource.UID != "${datasource}" {
			t.Errorf("panel %q: a query has the data source %q", p.Title, q.Datasource.UID)
		}
		for _, match := range selector.FindAllStringSubmatch(q.Expr, -1) {
			if match[1] == "" && (!strings.Contains(match[2], `job=~"$job"`) ||
				!strings.Contains(match[2], `instance=~"$instance"`)) {
				t.Errorf("panel %q: %s lacks job or instance", p.Title, match[0])
			}
		}
		for _, call := range regexp.MustCompile(`\b(rate|increase|irate|delta|deriv)\([^\[]*\[([^\]]*)\]`).FindAllStringSubmatch(q.Expr, -1) {
			// A bar is the increase over its own step: over $__rate_interval, at least four scrapes, four bars counted
			// what one of them saw. A step of two minutes has two samples of the slowest scrapes.
			want, step := "$__rate_interval", ""
			if call[1] == "increase" {
				want, step = "$__interval", "2m"
			}
			if call[2] != want || p.Interval != step {
				t.Errorf("panel %q: %s over %s, interval %q, want %s and %q", p.Title, call[1], call[2], p.Interval,
					want, step)
			}
		}
		if m := regexp.MustCompile(`(^|[^(])\b\w+_total\{`).FindString(q.Expr); m != "" {
			t.Errorf("panel %q: the counter %s is shown as it is, want its rate", p.Title, m)
		}
	}
}
