package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/record"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

var incidentsTemplate = template.Must(template.ParseFS(files, "templates/incidents.html"))

// How many incidents a list has.
const (
	listedIncidents     = 100
	mostListedIncidents = 1000
)

// incidentFilters are the parameters that choose incidents, and incidentParameters those of /incidents.
var (
	incidentFilters    = []string{"target", "cause", "phase", "reason", "errno", "since", "until", "limit"}
	incidentParameters = append(slices.Clip(slices.Clone(incidentFilters)), "format")
)

// handleIncidents adds the endpoints of incidents.
func (e *Endpoints) handleIncidents(mux *http.ServeMux, answers *spools) {
	mux.HandleFunc("GET /incidents", answers.buffered(e.listIncidents))
	mux.HandleFunc("GET /incidents/latest", answers.buffered(e.latestIncident))
	mux.HandleFunc("GET /incidents/{id}", answers.buffered(e.showIncident))
	mux.HandleFunc("GET /incidents.atom", answers.buffered(e.feed))
}

// parseIncidentQuery reads which incidents are wanted. The error names the parameter, its value and what it can be.
func parseIncidentQuery(query url.Values, known []string, now time.Time) (incident.Query, error) {
	q := incident.Query{Target: query.Get("target"), Cause: cause.Cause(query.Get("cause")),
		Phase: result.Phase(query.Get("phase")), Reason: result.Reason(query.Get("reason")),
		Errno: query.Get("errno"), Limit: listedIncidents}
	for name := range query {
		if !slices.Contains(known, name) {
			return q, fmt.Errorf("parameter %q is unknown, want one of %s", module.Shortened(name),
				strings.Join(known, ", "))
		}
	}
	for _, chosen := range []struct {
		name  string
		known []string
	}{{"phase", phases()}, {"reason", reasons()}, {"cause", causes()}} {
		if value := query.Get(chosen.name); value != "" && !slices.Contains(chosen.known, value) {
			return q, fmt.Errorf("%s %q is unknown, want one of %s", chosen.name, module.Shortened(value),
				strings.Join(chosen.known, ", "))
		}
	}
	for _, bound := range []struct {
		name string
		to   *time.Time
	}{{"since", &q.Since}, {"until", &q.Until}} {
		var err error
		if *bound.to, err = parseTime(query.Get(bound.name), now); err != nil {
			return q, fmt.Errorf("%s %w", bound.name, err)
		}
	}
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostListedIncidents {
			return q, fmt.Errorf("limit %q is no number from 1 to %d", module.Shortened(text), mostListedIncidents)
		}
		q.Limit = n
	}
	return q, nil
}

// incidentGroup is a group with what it is in words.
type incidentGroup struct {
	Headline  string          `json:"headline"`
	Shared    incident.Shared `json:"shared"`
	Where     string          `json:"where,omitempty"`
	Targets   []string        `json:"targets"`
	Incidents []described     `json:"incidents"` // the oldest first
}

// Alone reports whether the group is one incident.
func (g *incidentGroup) Alone() bool { return len(g.Incidents) == 1 }

// described is an incident with its headline.
type described struct {
	*incident.Incident
	Headline string `json:"headline"`
	Spell    string `json:"spell"` // when it was and how much of it failed, in words

	Path string `json:"-"` // of its target's page
}

func describe(i *incident.Incident, now time.Time) described {
	return described{i, headline(i), spell(i, now), targetPath(i.Target)}
}

// incidentGroups are the groups of incidents, those with the newest incident first.
func incidentGroups(incidents []*incident.Incident, now time.Time) []*incidentGroup {
	groups := []*incidentGroup{}
	for _, g := range incident.Groups(incidents) {
		shown := &incidentGroup{Shared: g.Shared, Where: g.Where, Targets: g.Targets(), Headline: groupHeadline(&g)}
		for _, i := range g.Incidents {
			shown.Incidents = append(shown.Incidents, describe(i, now))
		}
		groups = append(groups, shown)
	}
	return groups
}

// incidentList is the content of /incidents, as a page and in JSON.
type incidentList struct {
	Schema  int              `json:"schema"`
	Time    time.Time        `json:"time"`
	Listed  int              `json:"listed"`
	Open    int              `json:"open"` // of those listed
	Limited bool             `json:"limited"`
	Groups  []*incidentGroup `json:"groups"`

	Query    url.Values   `json:"-"`
	Feed     template.URL `json:"-"` // of the feed with the same filters
	Filtered bool         `json:"-"`
}

// listIncidents answers /incidents: the newest incidents that are chosen, in groups.
func (e *Endpoints) listIncidents(w http.ResponseWriter, r *http.Request) {
	query, now := r.URL.Query(), time.Now()
	q, err := parseIncidentQuery(query, incidentParameters, now)
	if err != nil {
		refuse(w, err.Error(), http.StatusBadRequest)
		return
	}
	limit := q.Limit
	q.Limit++ // to know whether there are more
	found := e.Incidents.List(q)
	l := incidentList{Schema: incident.Schema, Time: now.UTC().Truncate(time.Second), Limited: len(found) > limit,
		Query: query, Filtered: len(query) > 0}
	found = found[:min(len(found), limit)]
	for _, i := range found {
		if i.Open() {
			l.Open++
		}
	}
	l.Listed, l.Groups, l.Feed = len(found), incidentGroups(found, now), feedOf(query)
	switch query.Get("format") {
	case "", "html":
		_ = incidentsTemplate.Execute(page(w), l)
	case "json":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(escape.NewWriter(w)).Encode(l)
	case "text":
		plainText(w)
		l.write(w)
	default:
		refuse(w, fmt.Sprintf("format %q is unknown, want html, json or text", module.Shortened(query.Get("format"))),
			http.StatusBadRequest)
	} // writing fails only if the client is gone
}

// feedOf is the address of the feed with the filters that it has.
func feedOf(query url.Values) template.URL {
	kept := url.Values{}
	for _, name := range feedParameters {
		if value := query.Get(name); value != "" {
			kept.Set(name, value)
		}
	}
	if len(kept) == 0 {
		return "incidents.atom"
	}
	return template.URL("incidents.atom?" + kept.Encode()) // every value is encoded
}

// write writes the list as plain text.
func (l *incidentList) write(w io.Writer) {
	line := func(format string, args ...any) {
		_, _ = io.WriteString(w, record.Printable(fmt.Sprintf(format, args...))+"\n") // fails only if the client is gone
	}
	for _, g := range l.Groups {
		if len(g.Incidents) > 1 {
			line("%s", g.Headline)
		}
		for _, i := range g.Incidents {
			line("%s  %s", i.ID, i.Headline)
			line("  %s", i.Spell)
		}
	}
	if l.Limited {
		line("There are more: raise limit, or use until.")
	}
}
