package mixin

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each rule keeps to what Grafana requires of one, and is the Prometheus rule of the same place.
func grafanaRules(t *testing.T, files map[string]alertingFile) {
	promised := render(t, "prometheusAlerts", "{}")
	groups := files["alerting/rules.yml"].Groups
	if len(groups) != len(promised) {
		t.Fatalf("%d groups, want the %d of alerts.yml", len(groups), len(promised))
	}
	panels := panelsOf(t)
	uids, titles := map[string]bool{}, map[string]bool{}
	for i, g := range groups {
		interval, err := time.ParseDuration(g.Interval)
		if err != nil || interval <= 0 || interval%(10*time.Second) != 0 {
			t.Errorf("group %s: interval %q, want a multiple of 10 s", g.Name, g.Interval)
		}
		if g.OrgID != 1 || g.Folder != "errno_exporter" || g.Name != promised[i].Name || len(g.Rules) != len(promised[i].Rules) {
			t.Errorf("group %+v, want that of %s with %d rules", g, promised[i].Name, len(promised[i].Rules))
			continue
		}
		for j, r := range g.Rules {
			p := promised[i].Rules[j]
			if name, _, _ := strings.Cut(r.Title, " ("); name != p.Alert || r.For != p.For || r.KeepFiringFor != p.KeepFiringFor {
				t.Errorf("%s for %s, kept for %s; the rule of Prometheus is %+v", r.Title, r.For, r.KeepFiringFor, p)
			}
			if uids[r.UID] || titles[r.Title] || !regexp.MustCompile(`^[a-z0-9-]{1,40}$`).MatchString(r.UID) {
				t.Errorf("%s: uid %q: one of both is not unique, or the uid is none", r.Title, r.UID)
			}
			uids[r.UID], titles[r.Title] = true, true
			if !panels[r.DashboardUID][r.PanelID] {
				t.Errorf("%s: dashboard %s has no panel %d", r.Title, r.DashboardUID, r.PanelID)
			}
			checkStates(t, r, interval)
			checkQueries(t, r)
			checkTexts(t, r, p)
		}
	}
}

func checkStates(t *testing.T, r alertRule, interval time.Duration) {
	t.Helper()
	wantError := "KeepLast"
	if r.Title == "ErrnoExporterAbsent" {
		wantError = "Error"
	}
	keep, err := time.ParseDuration(r.KeepFiringFor)
	if err != nil || r.NoDataState != "OK" || r.ExecErrState != wantError {
		t.Errorf("%s: without data %q, after an error %q, kept %v; want OK and %s", r.Title, r.NoDataState, r.ExecErrState, err,
			wantError)
	}
	if kept := time.Duration(r.MissingSeries) * interval; r.MissingSeries < 2 || kept < keep || kept > max(keep, interval)+interval {
		t.Errorf("%s: a series may be missing %d times every %s, want for %s", r.Title, r.MissingSeries, interval, keep)
	}
}

func checkQueries(t *testing.T, r alertRule) {
	t.Helper()
	if len(r.Data) != 2 || r.Condition != "B" {
		t.Errorf("%s: %d queries, condition %s, want A and B", r.Title, len(r.Data), r.Condition)
		return
	}
	a, b := r.Data[0], r.Data[1]
	if a.RefID != "A" || a.Model.RefID != "A" || a.DatasourceUID != "prometheus" || a.Model.Datasource.UID != "prometheus" ||
		a.Model.Datasource.Type != "prometheus" || !*a.Model.Instant || *a.Model.Range || a.Model.Expr == "" ||
		a.RelativeTimeRange.From <= a.RelativeTimeRange.To {
		t.Errorf("%s: %+v is no instant query of the data source prometheus", r.Title, a)
	}
	if b.RefID != "B" || b.Model.RefID != "B" || b.DatasourceUID != "__expr__" || b.Model.Datasource.UID != "__expr__" ||
		b.Model.Type != "math" || b.Model.Expression != "is_number($A) || is_nan($A) || is_inf($A)" {
		t.Errorf("%s: %+v is not the expression that A has a value", r.Title, b)
	}
}

// checkTexts looks for what Grafana's templates do not have, and for what its provisioning would replace.
func checkTexts(t *testing.T, r alertRule, p rule) {
	t.Helper()
	if !slices.Equal(slices.Sorted(maps.Keys(r.Labels)), slices.Sorted(maps.Keys(p.Labels))) {
		t.Errorf("%s has the labels %v, want those of %v", r.Title, r.Labels, p.Labels)
	}
	for name, text := range r.Labels {
		if strings.Contains(text, "$") {
			t.Errorf("%s: label %s: provisioning replaces the $ of %q", r.Title, name, text)
		}
	}
	for name := range p.Annotations {
		if r.Annotations[name] == "" {
			t.Errorf("%s has no annotation %s", r.Title, name)
		}
	}
	for name, text := range r.Annotations {
		if regexp.MustCompile(`\$externalLabels|\$value[^s]|\| query\b|\{\{ \$labels`).MatchString(text) {
			t.Errorf("%s: annotation %s: Grafana does not understand %q", r.Title, name, text)
		}
	}
}

// panelsOf are the panels of each dashboard that ships.
func panelsOf(t *testing.T) map[string]map[int]bool {
	t.Helper()
	type panel struct {
		ID     int
		Panels []struct{ ID int }
	}
	found := map[string]map[int]bool{}
	for name, text := range dashboards(t, "grafanaDashboards", "{}") {
		var d struct {
			UID    string
			Panels []panel
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found[d.UID] = map[int]bool{}
		for _, p := range d.Panels {
			found[d.UID][p.ID] = true
			for _, inner := range p.Panels {
				found[d.UID][inner.ID] = true
			}
		}
	}
	return found
}
