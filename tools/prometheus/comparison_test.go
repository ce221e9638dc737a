package prometheus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

// comparison is a run of a scenario by both sets of rules.
type comparison struct {
	scenario   scenario
	managed    []managedRule
	inhibition []*inhibitionRule
	every      time.Duration
	rendered   *atomic.Int64 // alerts whose texts were compared

	groups     []*rules.Group // Prometheus' own
	prometheus []*rules.AlertingRule
	grafana    []*rules.Group // one for each of Grafana's rules

	mutedAt map[string]time.Time // when an alert was last muted
	before  map[string]bool      // Grafana's alerts of the evaluation before
}

func (c *comparison) run(t *testing.T, order []string, converted string) {
	var input strings.Builder
	fmt.Fprintf(&input, "load %s\n", c.scenario.Interval)
	for _, s := range c.scenario.InputSeries {
		fmt.Fprintf(&input, "  %s %s\n", s.Series, s.Values)
	}
	loader, err := promqltest.NewLazyLoader(input.String(), promqltest.LazyLoaderOpts{EnableAtModifier: true,
		EnableNegativeOffset: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = loader.Close() }()
	loader.SubqueryInterval = c.every
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(loader.QueryEngine(), loader.Storage()), Appendable: loader.Storage(),
		Queryable: loader.Storage(), Context: context.Background(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	})
	byName, errs := manager.LoadGroups(duration(t, c.scenario.Interval), labels.EmptyLabels(), "", nil, false,
		"../../monitoring/recording.yml", "../../monitoring/alerts.yml", converted)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	c.sort(t, order, byName)
	c.mutedAt, c.before = map[string]time.Time{}, map[string]bool{}
	times := map[time.Duration]bool{}
	last := time.Duration(0)
	for _, a := range c.scenario.Alerts {
		at := duration(t, a.EvalTime)
		times[at] = true
		last = max(last, at)
	}
	for at := time.Duration(0); at <= last; at += c.every {
		now := time.Unix(0, 0).UTC().Add(at)
		loader.WithSamplesTill(now, func(err error) {
			if err != nil {
				t.Fatal(err)
			}
			c.eval(t, now)
			found := c.compare(t, now)
			if times[at] {
				c.compareTexts(t, loader, now, found)
			}
		})
	}
}

// sort puts the groups of Prometheus' rules in their order, and those of Grafana's in the order of their rules.
func (c *comparison) sort(t *testing.T, order []string, byName map[string]*rules.Group) {
	c.groups, c.grafana = make([]*rules.Group, len(order)), make([]*rules.Group, len(c.managed))
	for _, g := range byName {
		if i := slices.Index(order, g.Name()); i >= 0 {
			c.groups[i] = g
		} else if _, err := fmt.Sscanf(g.Name(), "grafana %d", &i); err == nil {
			c.grafana[i] = g
		} else {
			t.Fatalf("%s: no place for the group %s", c.scenario.Name, g.Name())
		}
		for _, r := range g.AlertingRules() {
			r.SetRestored(true) // ALERTS is written from then on
		}
	}
	for _, g := range c.groups {
		for _, r := range g.Rules() { // AlertingRules are sorted by their names
			if a, ok := r.(*rules.AlertingRule); ok {
				c.prometheus = append(c.prometheus, a)
			}
		}
	}
	for i, m := range c.managed {
		if r := c.prometheus[i]; r.Name() != m.name() {
			t.Fatalf("rule %d of Grafana is %s, that of Prometheus %s", i, m.name(), r.Name())
		}
	}
}

// eval evaluates the rules. Of Grafana's those whose rule in Prometheus has alerts, or that have had some: the others
// cannot have one, as TestGrafanaLeavesOut shows.
func (c *comparison) eval(t *testing.T, now time.Time) {
	evaluate := func(g *rules.Group) {
		g.Eval(context.Background(), now)
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				t.Fatalf("%s, %s: %s: %v", c.scenario.Name, now, r.Name(), err)
			}
		}
	}
	for _, g := range c.groups {
		evaluate(g)
	}
	for i, g := range c.grafana {
		if len(c.prometheus[i].ActiveAlerts())+len(g.AlertingRules()[0].ActiveAlerts()) > 0 {
			evaluate(g)
		}
	}
}

// in are the alerts in a state, by their labels.
func (c *comparison) in(state rules.AlertState) map[string]*rules.Alert {
	found := map[string]*rules.Alert{}
	for _, g := range slices.Concat(c.groups, c.grafana) {
		for _, r := range g.AlertingRules() {
			for _, a := range r.ActiveAlerts() {
				if a.State == state {
					found[a.Labels.String()] = a
				}
			}
		}
	}
	return found
}

// compare compares the alerts of both after an evaluation, and returns those of Prometheus.
func (c *comparison) compare(t *testing.T, now time.Time) map[string]*rules.Alert {
	ours, theirs := map[string]*rules.Alert{}, map[string]*rules.Alert{}
	for key, a := range c.in(rules.StateFiring) {
		if name := a.Labels.Get(labels.AlertName); strings.HasPrefix(name, prefix) {
			named := labels.NewBuilder(a.Labels).Set(labels.AlertName, strings.TrimPrefix(name, prefix)).Labels()
			ours[named.String()] = a
		} else {
			theirs[key] = a
		}
	}
	at := now.Sub(time.Unix(0, 0))
	begun := map[string]bool{}
	for key := range ours {
		begun[key] = true
		a, there := theirs[key]
		switch {
		case !there:
			t.Errorf("%s, %s: Grafana alone has %s", c.scenario.Name, at, key)
		case !c.before[key] && c.muted(a, theirs):
			t.Errorf("%s, %s: Alertmanager mutes %s, which begins to fire in Grafana", c.scenario.Name, at, key)
		}
	}
	for key, a := range c.in(rules.StatePending) {
		if c.muted(a, theirs) {
			c.mutedAt[key] = now
		}
	}
	for key, a := range theirs {
		if c.muted(a, theirs) {
			c.mutedAt[key] = now
			continue
		}
		if ours[key] == nil && !c.waits(a, key, now) {
			t.Errorf("%s, %s: Grafana lacks %s", c.scenario.Name, at, key)
		}
	}
	c.before = begun
	return theirs
}

// waits is whether an alert was muted until shortly before. Grafana's rule becomes true again then, so that for begins
// again; and an alert that Prometheus only keeps firing does not begin any more.
func (c *comparison) waits(a *rules.Alert, key string, now time.Time) bool {
	at, muted := c.mutedAt[key]
	if !muted {
		return false
	}
	for _, m := range c.managed {
		if m.name() == a.Labels.Get(labels.AlertName) {
			wait, _ := model.ParseDuration(m.For)
			return now.Sub(at) <= time.Duration(wait)+c.every || !a.KeepFiringSince.IsZero()
		}
	}
	return false
}
