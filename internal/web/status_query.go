package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/record"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
)

// What the status page shows, by its URL.

// statusQuery chooses targets, their order and their groups. What is empty is the default.
type statusQuery struct {
	Text   string // in the name, URL, module or labels
	State  string // failing, degraded, ok or unknown; empty for all
	Sort   string
	Group  string    // byCause, byNothing or the name of a label
	Format string    // html or json; empty: by Accept
	At     time.Time // zero for now
}

// The parameters of the status page, and the values of those that have a closed list.
var (
	statusParameters = []string{"q", "state", "failing", "sort", "group", "at", "format"}
	statusStates     = []string{string(state.Failing), degraded, string(state.OK), string(state.Unknown)}
	statusSorts      = []string{"state", "name", "since", "availability", "p50", "p95"}
	statusFormats    = []string{"html", "json"}
)

// degraded is the state of a target whose last probe succeeded although something of it fails.
const degraded = "degraded"

// The groups that are no label.
const (
	byCause   = "cause"
	byNothing = "none"
)

// parseStatusQuery reads a query. The error names the parameter, its value and what it can be.
func parseStatusQuery(query url.Values, c *config.Config, now time.Time) (statusQuery, error) {
	for name := range query {
		if !slices.Contains(statusParameters, name) {
			return statusQuery{}, unknownValue("parameter", name, statusParameters)
		}
	}
	q := statusQuery{Text: query.Get("q"), State: query.Get("state"), Sort: query.Get("sort"),
		Group: query.Get("group"), Format: query.Get("format")}
	if query.Get("failing") != "" {
		q.State = cmp.Or(q.State, string(state.Failing))
	}
	for _, chosen := range []struct {
		name, value string
		known       []string
	}{{"state", q.State, statusStates}, {"sort", q.Sort, statusSorts}, {"group", q.Group, groupsOf(c)},
		{"format", q.Format, statusFormats}} {
		if chosen.value != "" && !slices.Contains(chosen.known, chosen.value) {
			return statusQuery{}, unknownValue(chosen.name, chosen.value, chosen.known)
		}
	}
	q.Sort, q.Group = cmp.Or(q.Sort, "state"), cmp.Or(q.Group, byCause)
	var err error
	if q.At, err = parseTime(query.Get("at"), now); err != nil {
		return statusQuery{}, fmt.Errorf("at %w", err)
	}
	if q.At.After(now) {
		return statusQuery{}, fmt.Errorf("at %s is in the future", q.At.UTC().Format(time.RFC3339))
	}
	return q, nil
}

func unknownValue(name, value string, known []string) error {
	return fmt.Errorf("%s %q is unknown, want one of %s", name, module.Shortened(value), strings.Join(known, ", "))
}

// groupsOf are the groups that a configuration's targets can be shown in.
func groupsOf(c *config.Config) []string {
	groups := []string{byCause, byNothing}
	for _, t := range c.Targets {
		for _, l := range t.Labels {
			if !slices.Contains(groups, l.Name) {
				groups = append(groups, l.Name)
			}
		}
	}
	slices.Sort(groups[2:])
	return groups
}

// shows reports whether a target is among those that are asked for.
func (q *statusQuery) shows(t *seen) bool {
	return (q.State == "" || q.State == t.State || q.State == string(state.OK) && t.State == degraded) &&
		matches(t.Target, q.Text)
}

// seen is a target, with what is concluded from what is known of it.
type seen struct {
	*watch.Status
	State    string // as in the query
	Since    time.Time
	Warnings []string // what fails although the last probe succeeded
	Failure  *failureStatus
	Incident ulid.ULID // that it has; zero for none
	P50, P95 time.Duration
}

// see concludes.
func see(t *watch.Status, now time.Time) seen {
	s := seen{Status: t, State: string(t.Timeline.State), Since: t.Timeline.Since, Warnings: warnings(t, now)}
	if s.State == string(state.OK) && len(s.Warnings) > 0 {
		s.State = degraded
	}
	if f := t.Timeline.LastFailure; f != nil {
		s.Failure = &failureStatus{Time: f.Ended, Failure: record.FailureOf(f.Failure), Record: f.Record}
		s.Failure.Error = "" // which is for the record
	}
	s.P50, s.P95 = quantiles(t.Timeline.Ticks)
	return s
}

// recall adds what an incident, which lasted at an earlier time, says of the target at that time, where the timeline
// says nothing.
func (t *seen) recall(i *incident.Incident, at time.Time) {
	if t.State != string(state.Unknown) {
		return
	}
	t.State, t.Since = string(state.Failing), i.Begin
	for n := range i.Kinds {
		if k := &i.Kinds[n]; !k.First.After(at) && (t.Failure == nil || k.First.After(t.Failure.Time)) {
			t.Failure = &failureStatus{Time: k.First, Record: k.Record, Failure: record.Failure{Phase: k.Phase, Reason: k.Reason,
				Errno: k.Errno, Origin: k.Origin, Sentence: k.Sentence, Advice: k.Reason.Info().Sentence}}
		}
	}
	for _, j := range i.Judgements {
		if !j.At.After(at) {
			status := *t.Status
			status.Verdict = &cause.Verdict{Cause: j.Cause, Party: j.Party, Confidence: j.Confidence}
			t.Status = &status
		}
	}
}

// quantiles are the median and the 95th percentile of the durations of successes; 0 without any.
func quantiles(ticks []state.Tick) (p50, p95 time.Duration) {
	var all []time.Duration
	for i := range ticks {
		if ticks[i].Failure == nil {
			all = append(all, ticks[i].Elapsed)
		}
	}
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	rank := func(percent int) time.Duration { return all[(len(all)*percent+99)/100-1] } // nearest rank
	return rank(50), rank(95)
}

// sorted sorts targets. Those that are equal stay in the configuration's order.
func (q *statusQuery) sorted(all []seen) {
	order := map[string]func(a, b *seen) int{
		"state": func(a, b *seen) int { return cmp.Compare(rankOf(a), rankOf(b)) },
		"name":  func(a, b *seen) int { return strings.Compare(a.Target.Name, b.Target.Name) },
		"since": func(a, b *seen) int { return b.Since.Compare(a.Since) },
		"availability": func(a, b *seen) int {
			return cmp.Compare(shareStatus(a.Timeline.Day).fraction(), shareStatus(b.Timeline.Day).fraction())
		},
		"p50": func(a, b *seen) int { return cmp.Compare(b.P50, a.P50) },
		"p95": func(a, b *seen) int { return cmp.Compare(b.P95, a.P95) },
	}[q.Sort]
	slices.SortStableFunc(all, func(a, b seen) int { return order(&a, &b) })
}

// rankOf is the place of a target's state: what needs attention comes first.
func rankOf(t *seen) int {
	return slices.Index([]string{string(state.Failing), degraded, string(state.Unknown), string(state.OK)}, t.State)
}
