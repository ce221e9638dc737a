package monitoring

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
)

type labelSet = map[string]string

// The labels of alerts where one scrape has the exporter with all of its targets, and where one scrape is one probe and
// a second job scrapes the exporter. The values need escaping.
var (
	ofTarget = []labelSet{
		{"job": "a b", "instance": "exporter:10104", "target": "pay & ments+"},
		{"job": "probes", "instance": "https://api.example.com/?a=b&c=d#e"},
	}
	ofExporter = []labelSet{{"job": "a b", "instance": "exporter:10104"}, {"job": "exporters", "instance": "exporter:10104"}}
)

// linkedLabels are the labels of alerts about anything else than a target or an exporter.
var linkedLabels = map[string][]labelSet{
	"ErrnoTargetFailingEverywhere": {{"job": "a b", "api": "pay & ments+"}},
	"ErrnoEgressDown":              {{"vantage": "eu"}, {}},
	"ErrnoExporterAbsent":          {{}},
	"ErrnoExporterDown":            append([]labelSet{{"job": "probes", "vantage": "eu"}}, ofExporter...),
	"ErrnoProbeScrapeFails":        ofTarget[1:],
}

// exposed are the series by which the dashboards find what can be selected.
var exposed = map[string][]labelSet{"probe_success": ofTarget, "probe_reliable": ofTarget,
	"errno_exporter_build_info": ofExporter}

var labelValues = regexp.MustCompile(`^label_values\((\w+).*, (\w+)\)$`)

// The link of each alert opens a dashboard that exists and selects by its variables what exists: a value that a
// variable does not have shows empty panels.
func TestAlertLinksSelectWhatExists(t *testing.T) {
	boards := loadDashboards(t)
	for _, a := range loadAlerts(t) {
		sets := linkedLabels[a.Alert]
		if _, is := a.Labels["api"]; sets == nil && is {
			sets = ofTarget
		}
		if sets == nil {
			sets = ofExporter
		}
		for _, labels := range sets {
			link, err := url.Parse(renderLink(t, a.Annotations["dashboard_url"], labels))
			if err != nil {
				t.Errorf("%s with %v: %v", a.Alert, labels, err)
				continue
			}
			board := boards[strings.TrimPrefix(link.Path, "/d/")]
			if board == nil {
				t.Errorf("%s with %v: no dashboard has the path of %s", a.Alert, labels, link)
				continue
			}
			for name, values := range link.Query() {
				if selectable := board.values(strings.TrimPrefix(name, "var-")); len(values) != 1 ||
					!slices.Contains(selectable, values[0]) {
					t.Errorf("%s with %v: %s selects %s=%q, want one of %q", a.Alert, labels, link, name, values,
						selectable)
				}
			}
			if fixed := len(link.Query()) == 0; fixed != (labels["job"] == "" || labels["api"] != "") {
				t.Errorf("%s with %v: %s selects nothing: %t", a.Alert, labels, link, fixed)
			}
		}
	}
}

// loadDashboards are the dashboards by their UID.
func loadDashboards(t *testing.T) map[string]*dashboard {
	t.Helper()
	paths, err := filepath.Glob("dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	boards := map[string]*dashboard{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d := new(dashboard)
		if err := json.Unmarshal(text, d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if !d.has("datasource") {
			t.Errorf("%s has no variable datasource, which links set", path)
		}
		boards[d.UID] = d
	}
	return boards
}

func (d *dashboard) has(variable string) bool {
	for _, v := range d.Templating.List {
		if v.Name == variable {
			return true
		}
	}
	return false
}

// values are what a variable offers for the series that are exposed; none for a variable that is not there.
func (d *dashboard) values(variable string) []string {
	var all []string
	for _, v := range d.Templating.List {
		query, _ := v.Query.(map[string]any)
		text, _ := query["query"].(string)
		parts := labelValues.FindStringSubmatch(text)
		if v.Name != variable || parts == nil {
			continue
		}
		for _, labels := range exposed[parts[1]] {
			all = append(all, labels[parts[2]])
		}
	}
	return all
}

// renderLink expands a template as Prometheus does.
func renderLink(t *testing.T, text string, labels labelSet) string {
	t.Helper()
	parsed, err := template.New("").Option("missingkey=zero").Parse(`{{ $labels := . }}` + text)
	if err != nil {
		t.Fatal(err)
	}
	var link strings.Builder
	if err := parsed.Execute(&link, labels); err != nil {
		t.Fatal(err)
	}
	return link.String()
}
