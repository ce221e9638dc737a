package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/escape"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/record"
	"errno_exporter/prober/module"
)

var incidentTemplate = template.Must(template.ParseFS(files, "templates/incident.html"))

// incidentPage is one incident, as a page, as a file of its own, and in JSON.
type incidentPage struct {
	described
	State   string           `json:"state"` // failing, recovering, recovered or unobserved
	Cause   *causeStatus     `json:"cause,omitempty"`
	Records []incidentRecord `json:"records"`
	Group   []string         `json:"group,omitempty"` // the other targets that fail alike

	GroupHeadline string       `json:"-"`
	Style         template.CSS `json:"-"` // of a file of its own; empty for a page
	Root          string       `json:"-"` // the path to the exporter's root
	Made          string       `json:"-"` // when, of a file of its own
	Configured    bool         `json:"-"` // the target still is
	Connections   []string     `json:"-"` // what became of the application's connections
}

// incidentRecord is a record that shows an incident: the first, the last, or the first of a kind.
type incidentRecord struct {
	ID   ulid.ULID `json:"id"`
	Why  string    `json:"why"`
	Kept bool      `json:"kept"`
	Text string    `json:"-"` // of a file of its own
}

// showIncident answers /incidents/ID.
func (e *Endpoints) showIncident(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	download := query.Get("download")
	if query.Del("download"); download != "" && download != "1" {
		refuse(w, fmt.Sprintf("download %q is unknown, want 1", module.Shortened(download)), http.StatusBadRequest)
		return
	}
	format, err := onlyFormat(query)
	if err != nil {
		refuse(w, err.Error()+", or download=1", http.StatusBadRequest)
		return
	}
	id, err := ulid.ParseStrict(strings.ToUpper(r.PathValue("id")))
	if err != nil {
		refuse(w, fmt.Sprintf("id %q is not the ID of an incident, see /incidents for those that are kept",
			module.Shortened(r.PathValue("id"))), http.StatusBadRequest)
		return
	}
	i := cmp.Or(e.Incidents.Get(id), e.Archive.Incident(id))
	if i == nil {
		i = e.Archive.Incident(id)
	}
	if i == nil {
		refuse(w, fmt.Sprintf("incident %s is not kept, or no longer: see /incidents", id), http.StatusNotFound)
		return
	}
	p := e.incidentPage(i, time.Now())
	if download != "" {
		w.Header().Set("Content-Disposition", `attachment; filename="incident-`+id.String()+extension(format)+`"`)
		e.standAlone(p)
	}
	p.answer(w, format)
}

// extension is that of a file in a format.
func extension(format string) string {
	switch format {
	case "json":
		return ".json"
	case "text":
		return ".txt"
	}
	return ".html"
}

// answer answers in a format.
func (p *incidentPage) answer(w http.ResponseWriter, format string) {
	switch {
	case format == "json":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(escape.NewWriter(w)).Encode(p)
	case format == "text":
		plainText(w)
		p.write(w)
	default:
		to := page(w)
		if p.Style != "" {
			// the file has its style itself, and loads nothing
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox; "+
				"frame-ancestors 'none'")
		}
		_ = incidentTemplate.Execute(to, p)
	} // writing fails only if the client is gone
}

// incidentPage is what there is to say of an incident.
func (e *Endpoints) incidentPage(i *incident.Incident, now time.Time) *incidentPage {
	p := &incidentPage{described: describe(i, now), State: stateOf(i), Cause: toCause(i.Verdict),
		Records: []incidentRecord{}, Root: "../", Configured: e.Probe.Config.Get().Find(i.Target) != nil,
		Connections: record.Application(i.Application)}
	p.addRecord(e, i.First, "the first failure")
	for _, k := range i.Kinds {
		p.addRecord(e, k.Record, "the first with: "+k.Sentence)
	}
	p.addRecord(e, i.Last, "the last failure")
	around := incident.Query{Since: i.Begin.Add(-groupReach), Until: i.Begin.Add(groupReach)}
	for _, g := range incident.Groups(e.Incidents.List(around)) {
		if len(g.Incidents) > 1 && slices.ContainsFunc(g.Incidents, func(other *incident.Incident) bool {
			return other.ID == i.ID
		}) {
			p.GroupHeadline = groupHeadline(&g)
			p.Group = slices.DeleteFunc(g.Targets(), func(name string) bool { return name == i.Target })
		}
	}
	return p
}

// groupReach is how far before and after an incident's begin the others of its group are looked for.
const groupReach = 10 * time.Minute

func (p *incidentPage) addRecord(e *Endpoints, id ulid.ULID, why string) {
	for n := range p.Records {
		if p.Records[n].ID == id {
			p.Records[n].Why += ", " + why
			return
		}
	}
	if !id.IsZero() {
		kept := e.History.Has(id) || e.Archive.Record(id) != nil
		p.Records = append(p.Records, incidentRecord{ID: id, Why: why, Kept: kept})
	}
}

// standAlone makes the page one that needs nothing else: with its style, and the texts of its records.
func (e *Endpoints) standAlone(p *incidentPage) {
	for _, name := range []string{"static/style.css", "static/pages.css"} {
		style, err := files.ReadFile(name)
		if err != nil {
			continue // they are embedded
		}
		p.Style += template.CSS(style)
	}
	p.Made = time.Now().UTC().Format(time.DateTime)
	for n := range p.Records {
		p.Records[n].Text = e.recordText(p.Records[n].ID)
	}
}

// recordText is the text of a record; empty if it is not kept.
func (e *Endpoints) recordText(id ulid.ULID) string {
	if kept := e.History.Get(id); kept != nil {
		return string(record.Text(kept.Result, kept.Module, kept.Found, nil, metrics.NewExposition()))
	}
	if stored := e.Archive.Record(id); stored != nil {
		return stored.Text
	}
	return ""
}

// write writes the incident as plain text.
func (p *incidentPage) write(w io.Writer) {
	line := func(format string, args ...any) {
		_, _ = io.WriteString(w, record.Printable(fmt.Sprintf(format, args...))+"\n") // fails only if the client is gone
	}
	line("%s", p.Headline)
	line("%s", p.Spell)
	if p.Cause != nil {
		line("%s", conclusion(p.Cause))
		for _, text := range p.Cause.Evidence {
			line("  evidence: %s", text)
		}
		for _, out := range p.Cause.RuledOut {
			line("  not %s: %s", out.Cause, out.By)
		}
		for _, open := range p.Cause.Open {
			line("  open: %s", open)
		}
		for _, next := range p.Cause.Deciding() {
			line("  next: %s", next)
		}
	}
	for _, j := range p.Judgements {
		line("  %s  %s, party %s, %s confidence", j.At.UTC().Format(time.RFC3339), j.Cause, j.Party, j.Confidence)
	}
	if p.GroupHeadline != "" {
		line("Part of: %s. Also: %s", p.GroupHeadline, strings.Join(p.Group, ", "))
	}
	line("")
	line("Failures")
	for _, k := range p.Kinds {
		line("  %5d  %s (%s, %s)", k.Count, k.Sentence, k.Phase, k.Reason)
	}
	for _, a := range p.Addresses {
		line("  %s: %d failed, %d succeeded", a.Address, a.Failed, a.Succeeded)
	}
	for _, x := range p.Experiments {
		line("  experiment: %s", x.Text)
	}
	for n, text := range p.Connections {
		if n == 0 {
			line("")
			line("The application's connections")
		}
		line("  %s", text)
	}
	line("")
	line("Records")
	for _, r := range p.Records {
		line("  %s  %s%s", r.ID, r.Why, map[bool]string{true: "", false: " (no longer kept)"}[r.Kept])
	}
}
