package web

import (
	"embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/target/state"
)

//go:embed templates static
var files embed.FS

// statusTemplate is the page at /.
var statusTemplate = template.Must(template.ParseFS(files, "templates/status.html"))

// statusPage is what the status page shows.
type statusPage struct {
	*status
	Query     *statusQuery
	Filtered  bool          // not all targets are asked for
	Scrape    string        // lines for prometheus.yml; empty where they are not needed
	Interval  time.Duration // of rounds; 0 for none
	Blocks    []statusBlock
	States    []string // to choose from, as what follows
	Groups    []string
	Modules   []string
	Default   string
	Pprof     bool
	Lifecycle bool
}

// statusBlock is targets that belong together, under a heading.
type statusBlock struct {
	Heading  string
	Sentence string // of the failure that they share; empty for none
	Cause    string // that they share; empty for none
	Rows     []statusRow
}

// statusRow is the line of a target.
type statusRow struct {
	seen
	Class        string      // f, d, u or k: failing, degraded, unknown, ok
	Word         string      // the state
	For          string      // how long it has lasted; empty where that is not known
	Began        string      // when it began
	Last         *rowFailure // failure
	Reason       string      // of the last failure, where there is no room for its sentence
	Cause        string
	Details      *causeStatus // nil where there is no room for it, as what follows
	ShowURL      bool
	Results      string // how many succeeded of how many
	Drawn        bool   // there is room for a picture of the results
	OK, Bad      string // paths of all results, empty where there are 60, and of runs of failures
	Links        []tickLink
	Hour, Day    string // shares
	Month        string
	Half, Almost string // durations
}

// rowFailure is the last failure of a target.
type rowFailure struct {
	Sentence string // empty where the heading says it
	Ago      string
	Time     string
	Record   ulid.ULID // zero: it is no longer kept
	Incident ulid.ULID // zero: it is over, or not remembered
}

// Path is the target's page.
func (r *statusRow) Path() string { return "targets/" + url.PathEscape(r.Target.Name) }

// SortedBy is the address of the page in another order.
func (p *statusPage) SortedBy(sort string) string {
	q := p.Query
	values := url.Values{}
	for _, parameter := range [][2]string{{"q", q.Text}, {"state", q.State}, {"group", q.Group}, {"at", p.AtText()}} {
		if parameter[1] != "" && parameter != [2]string{"group", byCause} {
			values.Set(parameter[0], parameter[1])
		}
	}
	values.Set("sort", sort)
	return "?" + values.Encode()
}

// AtText is the time that was asked for; empty for now.
func (p *statusPage) AtText() string {
	if p.At == nil {
		return ""
	}
	return p.At.Format(time.RFC3339)
}

func (e *Endpoints) statusPage(r *http.Request, q *statusQuery, s *status, shown []seen) *statusPage {
	c := e.Probe.Config.Get()
	p := &statusPage{status: s, Query: q, Filtered: q.Text != "" || q.State != "", States: statusStates,
		Groups: groupsOf(c), Modules: slices.Sorted(maps.Keys(c.Modules)), Default: defaultModule, Pprof: e.Pprof,
		Lifecycle: e.Life.Enabled}
	if e.Probe.Watch != nil {
		p.Interval = e.Probe.Watch.Interval()
	}
	if s.Unscraped && p.Interval == 0 {
		p.Scrape = e.scrapeLines(r)
	}
	now := s.Time
	if s.At != nil {
		now = *s.At
	}
	for _, g := range q.groups(shown) {
		b := statusBlock{Heading: g.heading, Sentence: g.sentence, Cause: g.cause}
		for i := range g.targets {
			row := newStatusRow(&g.targets[i], now)
			if s.At != nil && row.State == "unknown" {
				row.Word = "not known"
			}
			b.Rows = append(b.Rows, row)
		}
		p.Blocks = append(p.Blocks, b)
	}
	p.furnish(e.History.Has, now)
	return p
}

// newStatusRow is a line with what each line has.
func newStatusRow(t *seen, now time.Time) statusRow {
	row := statusRow{seen: *t, Word: t.State, Class: map[string]string{"failing": "f", degraded: "d", "unknown": "u",
		"ok": "k"}[t.State], Hour: percent(t.Timeline.Hour)}
	if t.State == "unknown" {
		row.Word = "no probe yet"
	}
	if !t.Since.IsZero() {
		row.For, row.Began = span(now.Sub(t.Since)), stamp(t.Since)
	}
	// a longer span is empty until more is known than the shorter one shows
	known := now.Sub(t.Timeline.First)
	if known > time.Hour {
		row.Day = percent(t.Timeline.Day)
	}
	if known > 24*time.Hour {
		row.Month = percent(t.Timeline.Month)
	}
	if n := len(t.Timeline.Ticks); n > 0 {
		ok := 0
		for i := range t.Timeline.Ticks {
			if t.Timeline.Ticks[i].Failure == nil {
				ok++
			}
		}
		row.Results = fmt.Sprintf("%d/%d", ok, n)
	}
	if t.P50 > 0 {
		row.Half, row.Almost = brief(t.P50), brief(t.P95)
	}
	return row
}

// percent is a share in percent, in few characters; of no probes it is empty. What is not quite 100 is never shown as
// 100.
func percent(s state.Share) string {
	switch {
	case s.Probes == 0:
		return ""
	case s.Succeeded == s.Probes:
		return "100%"
	}
	return fmt.Sprintf("%.4g%%", min(99.99, 100*shareStatus(s).fraction()))
}

// stamp is a time for a machine, to the second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// span is a long duration in its largest unit: "40 d".
func span(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d >= 2*day:
		return fmt.Sprintf("%d d", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	default:
		return fmt.Sprintf("%d s", max(0, d)/time.Second)
	}
}

// brief is a duration with two or three digits.
func brief(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
