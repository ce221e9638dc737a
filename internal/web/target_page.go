package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/record"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
)

// targetTemplate is the page of one target.
var targetTemplate = template.Must(template.ParseFS(files, "templates/target.html"))

// targetRecords bounds the records that the page of a target lists.
const targetRecords = 20

// targetIncidents bounds the incidents that it has: more cannot be told apart in its picture.
const targetIncidents = 100

// targetSchema is the version of a target's JSON. It rises when a field is removed or changes its meaning.
const targetSchema = 1

// targetPage is one target over time, as a page and in JSON.
type targetPage struct {
	Schema       int                `json:"schema"`
	Time         time.Time          `json:"time"`
	Name         string             `json:"name"`
	URL          string             `json:"url"`
	Module       string             `json:"module"`
	Labels       []config.Label     `json:"labels,omitempty"`
	State        string             `json:"state"` // ok, failing or unknown
	Since        *time.Time         `json:"since,omitempty"`
	Sentence     string             `json:"sentence"` // the state in words
	Reliable     bool               `json:"reliable"`
	Failure      *pastFailure       `json:"last_failure,omitempty"`
	Cause        *causeStatus       `json:"cause,omitempty"`
	Availability availability       `json:"availability"`
	Last         *lastProbe         `json:"last_probe,omitempty"`
	Idle         *idleStatus        `json:"idle_connections,omitempty"`
	Application  *applicationStatus `json:"application,omitempty"`
	Incidents    []described        `json:"incidents"` // the newest first
	Results      []targetResult     `json:"results"`   // the oldest first
	Records      []listed           `json:"records"`   // the newest first

	Root   string        `json:"-"` // the path from the page to the exporter's root
	Path   string        `json:"-"` // and from there to the page
	Chart  *chart        `json:"-"` // nil before the first result
	Over   *incidentSpan `json:"-"` // incidents over time; nil without one
	Rounds int           `json:"-"` // of experiments, in an hour
	Facts  []facts       `json:"-"`
}

type availability struct {
	Hour shareStatus `json:"hour"`
	Day  shareStatus `json:"day"`
	Mon  shareStatus `json:"month"` // 30 days
	All  shareStatus `json:"since_start"`
}

// pastFailure is the last failure, and when it was.
type pastFailure struct {
	Time time.Time `json:"time"`
	record.Failure
	Record ulid.ULID `json:"record,omitzero"`
	Ago    string    `json:"-"`
}

// targetResult is one of the last results.
type targetResult struct {
	Record  ulid.ULID          `json:"record,omitzero"` // zero: its record is no longer kept
	Time    time.Time          `json:"time"`
	Success bool               `json:"success"`
	Seconds float64            `json:"duration_seconds"`
	Phases  map[string]float64 `json:"phases,omitempty"` // seconds
	Failure *record.Failure    `json:"failure,omitempty"`
	Took    string             `json:"-"`
}

// targetPath is the path of a target's page from the exporter's root. A name may have any printable character: that of
// . and .. would be taken for a step within the path.
func targetPath(name string) string {
	if strings.Trim(name, ".") == "" {
		return "targets/" + strings.ReplaceAll(name, ".", "%2E")
	}
	return "targets/" + url.PathEscape(name)
}

// showTarget answers /targets/NAME.
func (e *Endpoints) showTarget(w http.ResponseWriter, r *http.Request) {
	format, err := onlyFormat(r.URL.Query())
	if err != nil {
		refuse(w, err.Error(), http.StatusBadRequest)
		return
	}
	status, known := e.Probe.Watch.StatusOf(r.PathValue("name"))
	if !known {
		e.refuseTarget(w, r.PathValue("name"))
		return
	}
	p := e.targetPage(&status, time.Now())
	switch format {
	case "json":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(escape.NewWriter(w)).Encode(p)
	case "text":
		plainText(w)
		p.write(w)
	default:
		p.Root, p.Path = rootFrom(r.URL.EscapedPath()), targetPath(p.Name)
		_ = targetTemplate.Execute(page(w), p)
	} // writing fails only if the client is gone
}

// onlyFormat reads the parameter format, and refuses others.
func onlyFormat(query url.Values) (string, error) {
	for name := range query {
		if name != "format" {
			return "", fmt.Errorf("parameter %q is unknown, want format", module.Shortened(name))
		}
	}
	format := query.Get("format")
	if !slices.Contains([]string{"", "html", "json", "text"}, format) {
		return "", fmt.Errorf("format %q is unknown, want html, json or text", module.Shortened(format))
	}
	return format, nil
}

// rootFrom is the path from a page to the exporter's root: ../ for each slash after the first.
func rootFrom(path string) string {
	return strings.Repeat("../", strings.Count(strings.TrimPrefix(path, "/"), "/"))
}

// refuseTarget answers for a name that no target of this exporter has.
func (e *Endpoints) refuseTarget(w http.ResponseWriter, name string) {
	c := e.Probe.Config.Get()
	text := fmt.Sprintf("no target %q is configured, see / for those that are", module.Shortened(name))
	if t := c.Find(name); t != nil && !c.Scraped(t) {
		text = fmt.Sprintf("target %q belongs to another shard than %s", module.Shortened(name), c.Shard)
	}
	refuse(w, text, http.StatusNotFound)
}

// targetPage is what is known of a target.
func (e *Endpoints) targetPage(s *watch.Status, now time.Time) *targetPage {
	p := &targetPage{
		Schema: targetSchema, Time: now.UTC().Truncate(time.Second), Name: s.Target.Name, URL: s.Target.ShownURL,
		Module: s.Target.Module.Name, Labels: s.Target.Labels, State: "unknown", Reliable: true,
		Sentence: "No probe has ended yet: nothing scrapes /metrics, or it has only begun.",
		Cause:    toCause(s.Verdict), Application: toApplication(s.Application), Idle: toIdle(&s.Idle),
		Availability: availability{shareStatus(s.Timeline.Hour), shareStatus(s.Timeline.Day),
			shareStatus(s.Timeline.Month), shareStatus(s.Timeline.All)},
		Results: []targetResult{}, Records: e.recordsOf(s.Target.Name),
		Rounds: s.Target.Module.Diagnose.MaxPerHour,
	}
	if f := s.Timeline.LastFailure; f != nil {
		p.Failure = &pastFailure{Time: f.Ended.UTC(), Failure: record.FailureOf(f.Failure),
			Record: e.keptID(f.Record), Ago: record.Long(now.Sub(f.Ended))}
		p.Failure.Error = "" // which is for the record
	}
	for i := range s.Timeline.Ticks {
		p.Results = append(p.Results, e.targetResult(&s.Timeline.Ticks[i]))
	}
	p.Chart = newChart(s.Timeline.Ticks)
	found := e.Incidents.List(incident.Query{Target: p.Name, Limit: targetIncidents})
	p.Incidents, p.Over = []described{}, newSpan(found, s.Timeline.First, now)
	for _, i := range found {
		p.Incidents = append(p.Incidents, describe(i, now))
	}
	if s.Last != nil {
		p.addLast(s, now)
		p.Last.Record = e.keptID(s.Last.Record)
	}
	p.Facts = p.facts()
	return p
}

// keptID is the ID of a record that is kept, else zero.
func (e *Endpoints) keptID(id ulid.ULID) ulid.ULID {
	if e.History.Has(id) {
		return id
	}
	return ulid.ULID{}
}

// recordsOf are the newest records of a target.
func (e *Endpoints) recordsOf(name string) []listed {
	found := e.records().chosen(&recordFilter{Name: name, Limit: targetRecords})
	return found[:min(len(found), targetRecords)]
}

// targetResult is a result with its record, if that is kept.
func (e *Endpoints) targetResult(t *state.Tick) targetResult {
	r := targetResult{Record: e.keptID(t.Record), Time: t.Ended.UTC(), Success: t.Failure == nil,
		Seconds: t.Elapsed.Seconds(), Phases: phaseSeconds(t.Phases), Took: record.Short(t.Elapsed)}
	if t.Failure != nil {
		failure := record.FailureOf(t.Failure)
		failure.Error = "" // which is for the record
		r.Failure = &failure
	}
	return r
}

// Newest are the results with the newest first.
func (p *targetPage) Newest() []targetResult {
	newest := slices.Clone(p.Results)
	slices.Reverse(newest)
	return newest
}

// addLast adds the state, and the facts of the last probe.
func (p *targetPage) addLast(s *watch.Status, now time.Time) {
	since := s.Timeline.Since.UTC()
	p.Since, p.Reliable, p.Last = &since, s.Last.Reliable, newLastProbe(s.Last)
	r := s.Last.Result
	long := record.Long(now.Sub(since))
	if f := r.Failure; f != nil {
		p.State, p.Sentence = "failing", fmt.Sprintf("Failing for %s: %s.", long, f.Sentence())
		return
	}
	p.State, p.Sentence = "ok", fmt.Sprintf("Succeeding for %s; the last probe took %s.", long, record.Short(r.Elapsed))
}

// write writes the page as plain text.
func (p *targetPage) write(w io.Writer) {
	line := func(format string, args ...any) {
		_, _ = io.WriteString(w, record.Printable(fmt.Sprintf(format, args...))+"\n") // fails only if the client is gone
	}
	line("%s: %s", p.Name, p.Sentence)
	if c := p.Cause; c != nil {
		line("Cause: %s, party %s, %s confidence. %s %s", c.Cause, c.Party, c.Confidence, c.Sentence, c.Advice)
	}
	line("%s, module %s", p.URL, p.Module)
	a := p.Availability
	line("Availability: 1 h %s, 24 h %s, 30 d %s, since start %s", a.Hour.Text(), a.Day.Text(), a.Mon.Text(),
		a.All.Text())
	for _, f := range p.Facts {
		line("")
		line("%s", f.Title)
		for _, row := range f.Rows {
			line("  %-14s %s", row.Name, row.Value)
		}
	}
	if len(p.Incidents) > 0 {
		line("")
		line("Incidents")
	}
	for _, i := range p.Incidents {
		line("  %s  %s: %s", i.ID, i.Main().Sentence, i.Spell)
	}
	if len(p.Records) > 0 {
		line("")
		line("Records")
		writeList(w, p.Records)
	}
}
