package prometheus

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/template"
)

// value is what a template of Grafana has of a query: https://grafana.com/docs/grafana/latest/alerting/alerting-rules/
// templates/reference/. As a text it is its number alone.
type value struct {
	Labels map[string]string
	Value  float64
}

func (v value) String() string { return strconv.FormatFloat(v.Value, 'f', -1, 64) }

// expand renders a template of a label or an annotation as Grafana does: by Prometheus' templates, with other variables,
// without the function query, and with "[no value]" for a label that there is not.
func expand(t *testing.T, text string, sample promql.Sample, now time.Time) string {
	t.Helper()
	data := struct {
		Labels map[string]string
		Values map[string]value
		Value  string
	}{Labels: sample.Metric.Map()}
	data.Values = map[string]value{"A": {data.Labels, sample.F}, "B": {data.Labels, 1}}
	none := func(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }
	root := &url.URL{Scheme: "https", Host: "grafana.example.com", Path: "/"}
	expanded, err := template.NewTemplateExpander(context.Background(),
		"{{- $labels := .Labels -}}{{- $values := .Values -}}{{- $value := .Value -}}"+text, "__alert", data,
		model.TimeFromUnixNano(now.UnixNano()), none, root, []string{"missingkey=invalid"}).Expand()
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	return strings.ReplaceAll(expanded, "<no value>", "[no value]")
}

// labelsOf are the labels that Grafana gives an alert: those of the rule come before those of its series, and empty ones
// are dropped.
func labelsOf(t *testing.T, m managedRule, sample promql.Sample, now time.Time) labels.Labels {
	t.Helper()
	all := labels.NewBuilder(sample.Metric).Del(labels.MetricName)
	for name, text := range m.Labels {
		all.Set(name, expand(t, text, sample, now))
	}
	return all.Set(labels.AlertName, m.name()).Labels()
}

var verdict = regexp.MustCompile(` Verdict: (\S+) \(party (\S*), confidence (\S*)\)\.`)

// Links to the exporter's own pages need a query, which Grafana's templates do not have.
var (
	ownPage    = regexp.MustCompile(` Its page: \S+(?: Its incident: \S+)?$`)
	ownRunbook = regexp.MustCompile(`^https://[a-z]\.example\.com/(errno/)?docs/runbook#`)
)

// compareTexts renders the labels and annotations of Grafana's rules and compares them with those of Prometheus' alerts.
func (c *comparison) compareTexts(t *testing.T, loader *promqltest.LazyLoader, now time.Time, theirs map[string]*rules.Alert) {
	firing := map[string]bool{}
	for _, a := range theirs {
		firing[a.Labels.Get(labels.AlertName)] = true
	}
	for _, m := range c.managed {
		if !firing[m.name()] {
			continue
		}
		query, err := loader.QueryEngine().NewInstantQuery(context.Background(), loader.Queryable(), nil, m.Data[0].Model.Expr, now)
		if err != nil {
			t.Fatal(err)
		}
		vector, err := query.Exec(context.Background()).Vector()
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range vector {
			key := labelsOf(t, m, sample, now)
			if a := theirs[key.String()]; a != nil {
				c.compareText(t, m, a, func(text string) string { return expand(t, text, sample, now) })
				c.rendered.Add(1)
			}
		}
		query.Close()
	}
}

func (c *comparison) compareText(t *testing.T, m managedRule, a *rules.Alert, expand func(string) string) {
	t.Helper()
	want := a.Annotations.Map()
	want["description"] = ownPage.ReplaceAllString(want["description"], "")
	want["runbook_url"] = ownRunbook.ReplaceAllString(want["runbook_url"], "https://runbooks.example.com/runbook.md#")
	found := verdict.FindStringSubmatch(want["description"])
	if _, there := m.Annotations["cause"]; there {
		want["cause"], want["party"], want["confidence"] = "", "", ""
	}
	if found != nil {
		want["description"] = strings.Replace(want["description"], found[0], "", 1)
		want["cause"], want["party"], want["confidence"] = found[1], found[2], found[3]
	}
	for name, text := range m.Annotations {
		got := expand(text)
		if strings.Contains(got, "no value") {
			t.Errorf("%s: annotation %s of %s: %q", c.scenario.Name, name, a.Labels, got)
		}
		ofItsOwn := m.name() == "ErrnoEgressDown" && name == "description" || found == nil && want[name] == ""
		if got != want[name] && !ofItsOwn {
			t.Errorf("%s: annotation %s of %s is\n%q, want\n%q", c.scenario.Name, name, a.Labels, got, want[name])
		}
	}
}
