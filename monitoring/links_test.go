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
)

var variableInLink = regexp.MustCompile(`\$\{(\w+)[.:}]`)

// A link to another dashboard gives every variable of that dashboard a value, the data source included, and names no variable that its own
// dashboard lacks. What comes from labels is percent-encoded: a target may be a URL.
func TestLinksKeepVariables(t *testing.T) {
	variables := map[string][]string{}
	dashboards := map[string]*grafanaDashboard{}
	for _, name := range []string{"overview.json", "target.json", "exporter.json"} {
		d := readGrafana(t, filepath.Join("dashboards", name))
		dashboards[name] = d
		for _, v := range d.Templating.List {
			variables[d.UID] = append(variables[d.UID], v.Name)
		}
	}
	found := 0
	for name, d := range dashboards {
		for _, link := range linksOf(t, name) {
			for _, m := range variableInLink.FindAllStringSubmatch(link, -1) {
				if !strings.HasPrefix(m[1], "__") && !slices.Contains(variables[d.UID], m[1]) {
					t.Errorf("%s: the link %s has the variable %s, which is not one of %v", name, link, m[1], variables[d.UID])
				}
			}
			uid, query, internal := strings.Cut(strings.TrimPrefix(link, "/d/"), "?")
			if !internal || !strings.HasPrefix(link, "/d/") {
				continue
			}
			found++
			checkLink(t, name+": "+link, query, variables[uid])
		}
	}
	if found == 0 {
		t.Error("no dashboard has a link to another one")
	}
}

func checkLink(t *testing.T, what, query string, variables []string) {
	t.Helper()
	if !strings.Contains(query, "${__url_time_range}") {
		t.Errorf("%s: the time range is lost", what)
	}
	values, err := url.ParseQuery(query)
	if err != nil || len(variables) == 0 {
		t.Fatalf("%s: %v, a dashboard with the variables %v", what, err, variables)
	}
	for _, variable := range variables {
		value := values.Get("var-" + variable)
		if value == "" || strings.Contains(value, ".labels.") && !strings.Contains(value, ":percentencode}") ||
			strings.Contains(value, ".fields.") && !strings.Contains(value, ":percentencode}") {
			t.Errorf("%s: variable %s gets %q", what, variable, value)
		}
	}
	if got := values.Get("var-datasource"); got != "${datasource}" {
		t.Errorf("%s: the data source is %q", what, got)
	}
}

// linksOf are the URLs of all links in panels and in their overrides.
func linksOf(t *testing.T, name string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("dashboards", name))
	if err != nil {
		t.Fatal(err)
	}
	var d any
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	var links []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if link, is := v["url"].(string); is && link != "" {
				links = append(links, link)
			}
			for _, value := range v {
				walk(value)
			}
		case []any:
			for _, value := range v {
				walk(value)
			}
		}
	}
	walk(d)
	return links
}

// Every metric in a query is in the documentation of metrics: in the demo, some have no data because nothing fails on its host.
func TestMetricsOfDashboardsAreDocumented(t *testing.T) {
	documented, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	metric := regexp.MustCompile(`\b(?:probe|errno_exporter|app)_[a-z_]+\b`)
	checked := 0
	for _, name := range []string{"overview.json", "target.json", "exporter.json"} {
		content, err := os.ReadFile(filepath.Join("dashboards", name))
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatal(err)
		}
		for _, p := range d.shown() {
			for _, q := range p.Targets {
				for _, m := range metric.FindAllString(regexp.MustCompile(`[a-z]+:[a-z_:0-9]+`).ReplaceAllString(q.Expr, ""), -1) {
					checked++
					checkDocumented(t, name+", "+p.Title, m, string(documented))
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no query has a metric")
	}
}

// checkDocumented also finds names that a line of the table shortens to what differs from the first.
func checkDocumented(t *testing.T, what, metric, documented string) {
	t.Helper()
	metric = strings.TrimSuffix(metric, "_bucket")
	short, isHost := strings.CutPrefix(metric, "errno_exporter_host")
	for _, line := range strings.Split(documented, "\n") {
		if strings.Contains(line, "`"+metric+"`") || strings.Contains(line, "`"+metric+"{") ||
			isHost && strings.Contains(line, "`errno_exporter_host_") && strings.Contains(line, "`"+short+"`") {
			return
		}
	}
	t.Errorf("%s: docs/metrics.md does not have %s", what, metric)
}
