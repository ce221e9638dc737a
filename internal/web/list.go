package web

import (
	"cmp"
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

	"errno_exporter/internal/cause"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/history"
	"errno_exporter/internal/record"
	"errno_exporter/internal/store"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

var listTemplate = template.Must(template.ParseFS(files, "templates/history.html"))

// recordFilter chooses records. What is empty chooses all.
type recordFilter struct {
	Target, Module, Phase, Reason, Errno, Cause string
	Name                                        string    // the configured target's
	Since, Until                                time.Time // of the probe's start
	Failing                                     bool
	Limit                                       int // of stored records; 0 for listedStored
}

// listParameters are the parameters of /history.
var listParameters = []string{"target", "module", "phase", "reason", "errno", "cause", "since", "until",
	"failing", "format"}

// parseFilter reads a filter. The error names the parameter, its value and what it can be.
func parseFilter(query url.Values, now time.Time) (*recordFilter, error) {
	for name := range query {
		if !slices.Contains(listParameters, name) {
			return nil, fmt.Errorf("parameter %q is unknown, want one of %s", module.Shortened(name),
				strings.Join(listParameters, ", "))
		}
	}
	f := &recordFilter{Target: query.Get("target"), Module: query.Get("module"), Phase: query.Get("phase"),
		Reason: query.Get("reason"), Errno: query.Get("errno"), Cause: query.Get("cause"),
		Failing: query.Get("failing") != ""}
	for name, to := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		var err error
		if *to, err = parseTime(query.Get(name), now); err != nil {
			return nil, fmt.Errorf("%s %w", name, err)
		}
	}
	for _, chosen := range []struct {
		name, value string
		known       []string
	}{{"phase", f.Phase, phases()}, {"reason", f.Reason, reasons()}, {"cause", f.Cause, causes()}} {
		if chosen.value != "" && !slices.Contains(chosen.known, chosen.value) {
			return nil, fmt.Errorf("%s %q is unknown, want one of %s", chosen.name, module.Shortened(chosen.value),
				strings.Join(chosen.known, ", "))
		}
	}
	return f, nil
}

func phases() []string {
	var names []string
	for _, row := range result.Phases {
		names = append(names, string(row.Phase))
	}
	return names
}

func reasons() []string {
	var names []string
	for _, row := range result.Reasons {
		names = append(names, string(row.Reason))
	}
	return names
}

func causes() []string {
	var names []string
	for _, row := range cause.Causes {
		names = append(names, string(row.Cause))
	}
	return names
}

// parseTime reads a time (RFC 3339, to the minute or the second), or a duration for that long ago; empty is zero.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time, want one such as 2026-11-21T03:12:00Z, or 1h for an hour ago",
		module.Shortened(text))
}

// matches reports whether a record is chosen.
func (f *recordFilter) matches(l *listed) bool {
	failure := record.Failure{}
	if l.Failure != nil {
		failure = *l.Failure
	}
	var cause cause.Cause
	if l.Verdict != nil {
		cause = l.Verdict.Cause
	}
	for _, wanted := range []struct{ filter, is string }{
		{f.Module, l.Module}, {f.Phase, string(failure.Phase)}, {f.Reason, string(failure.Reason)},
		{f.Errno, failure.Errno}, {f.Cause, string(cause)},
	} {
		if wanted.filter != "" && wanted.filter != wanted.is {
			return false
		}
	}
	if f.Name != "" && f.Name != l.Name {
		return false
	}
	return (f.Target == "" || f.Target == l.Name || f.Target == l.Target) && (!f.Failing || !l.Success) &&
		(f.Since.IsZero() || !l.Start.Before(f.Since)) && (f.Until.IsZero() || l.Start.Before(f.Until))
}

// listed is one record of the list.
type listed struct {
	ID       ulid.ULID       `json:"id"`
	Name     string          `json:"name,omitempty"` // of the configured target
	Target   string          `json:"target"`
	Module   string          `json:"module"`
	Start    time.Time       `json:"start"`
	Duration float64         `json:"duration_seconds"`
	Success  bool            `json:"success"`
	Failure  *record.Failure `json:"failure,omitempty"`
	Verdict  *cause.Verdict  `json:"verdict,omitempty"`

	Took string `json:"-"`
	Path string `json:"-"` // of the configured target's page
}

func newListed(kept *history.Record) listed {
	r := kept.Result
	l := listed{ID: kept.ID, Name: kept.Target, Target: r.URL, Module: r.Module, Start: r.Start.UTC(),
		Duration: r.Elapsed.Seconds(), Success: r.Failure == nil, Verdict: kept.Found.Verdict,
		Took: record.Short(r.Elapsed), Path: targetPath(kept.Target)}
	if r.Failure != nil {
		failure := record.FailureOf(r.Failure)
		l.Failure = &failure
	}
	return l
}

// How many stored records a list reads, and has at most beside those in memory.
const (
	readStored   = 1000
	listedStored = 200
)

// chosen are the records that a filter chooses, in memory and in the store, the newest first.
func (h records) chosen(f *recordFilter) []listed {
	lines, known := []listed{}, map[ulid.ULID]bool{}
	for _, kept := range h.history.Records() {
		l := newListed(kept)
		if known[l.ID] = true; f.matches(&l) {
			lines = append(lines, l)
		}
	}
	most := cmp.Or(f.Limit, listedStored)
	q := store.Query{Target: f.Name, Since: f.Since, Until: f.Until, Limit: most}
	if f.Module != "" || f.Phase != "" || f.Reason != "" || f.Errno != "" || f.Cause != "" || f.Target != "" {
		q.Limit = readStored
	}
	if f.Name == "" && !strings.Contains(f.Target, "/") { // else it may be a URL
		q.Target = f.Target
	}
	stored := 0
	for _, r := range h.archive.Records(q) {
		l := storedListed(r.JSON)
		if stored < most && !known[l.ID] && f.matches(&l) {
			lines = append(lines, l)
			stored++
		}
	}
	slices.SortFunc(lines, func(a, b listed) int { return b.ID.Compare(a.ID) })
	return lines
}

func storedListed(j *record.JSON) listed {
	return listed{ID: j.ID, Name: j.Name, Target: j.Target, Module: j.Module, Start: j.Start.UTC(), Duration: j.Duration,
		Success: j.Success, Failure: j.Failure, Verdict: j.Verdict, Took: record.Short(seconds(j.Duration)),
		Path: targetPath(j.Name)}
}

// list shows what is kept and chosen, the newest first.
func (h records) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	filter, err := parseFilter(query, time.Now())
	if err != nil {
		refuse(w, err.Error(), http.StatusBadRequest)
		return
	}
	lines := h.chosen(filter)
	switch query.Get("format") {
	case "", "html":
		_ = listTemplate.Execute(page(w), map[string]any{"Query": query, "Filtered": len(query) > 0, "Records": lines})
	case "json":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(escape.NewWriter(w)).Encode(map[string]any{"schema": record.Schema, "records": lines})
	case "text":
		plainText(w)
		writeList(w, lines)
	default:
		refuse(w, fmt.Sprintf("format %q is unknown, want html, json or text", module.Shortened(query.Get("format"))),
			http.StatusBadRequest)
	} // writing fails only if the client is gone
}

// writeList writes a line for each record.
func writeList(w io.Writer, lines []listed) {
	for _, l := range lines {
		text := "success"
		if l.Failure != nil {
			text = "FAILED " + l.Failure.Sentence
		}
		if l.Verdict != nil {
			text += " (" + string(l.Verdict.Cause) + ")"
		}
		name := l.Name
		if name == "" {
			name = l.Target
		}
		fmt.Fprintf(w, "%s  %s  %10s  %s  %s\n", l.ID, l.Start.Format(time.RFC3339), l.Took, record.Printable(name),
			record.Printable(text))
	}
}
