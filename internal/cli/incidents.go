package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/record"
	"errno_exporter/internal/store"
)

// IncidentsOptions are the command line of incidents.
type IncidentsOptions struct {
	Store  string // its path: of a running exporter, or of a copy
	Target string // empty for all
	Cause  string // empty for all
	Since  string // a time, or how long ago; empty for no bound
	Output string // text or json
}

// Incidents prints the incidents of a store, the newest first, and returns the exit status.
func Incidents(o *IncidentsOptions, out, messages io.Writer) int {
	query, err := o.query(time.Now())
	if err != nil {
		return Refuse(messages, err)
	}
	if o.Store == "" {
		return Refuse(messages, errors.New("--storage.path is missing: name the exporter's store, or a copy of it"))
	}
	opened, err := store.OpenReadOnly(o.Store)
	if err != nil {
		return Refuse(messages, err)
	}
	defer opened.Close()
	stored, err := opened.Incidents(store.Query{Target: query.Target, Since: query.Since})
	if err != nil {
		return Refuse(messages, fmt.Errorf("%s cannot be read: %w", opened.Path(), err))
	}
	all, left := []*incident.Incident{}, 0
	for n := range stored {
		i, err := incident.Decode(stored[n].Body)
		if err != nil {
			left++
		} else if query.Matches(i) {
			all = append(all, i)
		}
	}
	if left > 0 {
		fmt.Fprintf(messages, "errno_exporter: incidents of another version of errno_exporter are left out: %d\n", left)
	}
	if o.Output == "json" {
		err = json.NewEncoder(escape.NewWriter(out)).Encode(map[string]any{"schema": incident.Schema, "incidents": all})
	} else {
		err = printIncidents(out, all)
	}
	if err != nil {
		return Refuse(messages, err)
	}
	return ExitOK
}

// query is what the flags choose. The error names the flag and what it can be.
func (o *IncidentsOptions) query(now time.Time) (incident.Query, error) {
	q := incident.Query{Target: o.Target, Cause: cause.Cause(o.Cause)}
	if q.Cause != "" && !q.Cause.Listed() {
		return q, fmt.Errorf("--cause %q is unknown, see docs/causes.md", o.Cause)
	}
	if o.Since == "" {
		return q, nil
	}
	if ago, err := model.ParseDuration(o.Since); err == nil {
		q.Since = now.Add(-time.Duration(ago))
		return q, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if at, err := time.Parse(layout, o.Since); err == nil {
			q.Since = at
			return q, nil
		}
	}
	return q, fmt.Errorf("--since %q is no time, want one such as 2026-11-21T03:12:00Z, or 12h or 7d for so long ago",
		o.Since)
}

// printIncidents prints a table: the last column, which servers have a say in, is as wide as it is. Below an incident
// is what became of the application's connections.
func printIncidents(out io.Writer, all []*incident.Incident) error {
	rows := [][]string{{"BEGIN (UTC)", "DURATION", "TARGET", "FAILED", "CAUSE", "PARTY", "CONFIDENCE", "FAILURE"}}
	for _, i := range all {
		v := cmp.Or(i.Verdict, &cause.Verdict{})
		rows = append(rows, []string{i.Begin.UTC().Format(time.DateTime), lasted(i), record.Printable(i.Target),
			fmt.Sprintf("%d of %d", i.Failed, i.Attempts), dash(string(v.Cause)), dash(string(v.Party)),
			dash(string(v.Confidence)), record.Printable(kinds(i))})
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "no incidents")
		return err
	}
	widths := make([]int, len(rows[0])-1)
	for _, row := range rows {
		for n := range widths {
			widths[n] = max(widths[n], len([]rune(row[n])))
		}
	}
	var b strings.Builder
	for line, row := range rows {
		for n, width := range widths {
			fmt.Fprintf(&b, "%-*s  ", width, row[n])
		}
		b.WriteString(row[len(widths)] + "\n")
		if line > 0 {
			b.WriteString(connections(all[line-1].Application))
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// connections are lines on the application's connections to the target; none where none ended and none leaked.
func connections(a *incident.Application) string {
	if a == nil || a.Ended == 0 && a.OldestCloseWait == 0 {
		return ""
	}
	return "  The application's connections: " + strings.Join(record.Application(a), "\n    ") + "\n"
}

// lasted is how long an incident lasted, or lasts by what was seen last.
func lasted(i *incident.Incident) string {
	if i.Open() {
		return max(0, i.LastProbe.Sub(i.Begin)).Round(time.Second).String() + "+"
	}
	return i.Duration(i.End).Round(time.Second).String()
}

// kinds is what failed most, and how many other kinds of failures there were.
func kinds(i *incident.Incident) string {
	text := i.Main().Sentence
	if others := len(i.Kinds) - 1; others > 0 {
		text += fmt.Sprintf("; and %d more", others)
	}
	return text
}

func dash(text string) string { return cmp.Or(text, "-") }
