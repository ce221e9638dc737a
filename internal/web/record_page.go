package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/record"
	"errno_exporter/prober/result"
)

var recordTemplate = template.Must(template.ParseFS(files, "templates/record.html"))

// recordPage is the content of the page of one probe.
type recordPage struct {
	ID                   ulid.ULID
	Name                 string // of the configured target, or its URL
	Path                 string // of the target's page; empty for one that is not configured
	Target, Module       string
	Start, Took, Allowed string
	Failure              *record.Failure // nil for a success
	Cause                *causeStatus    // nil without one
	Hops                 []waterfall
	Rest                 string // where the rest of the last attempt's time went; empty for nowhere
	Incident             *incident.Incident
	Compared             *comparison // nil for a success, and where no earlier success is kept
	Curl                 string      // repeats the last hop's request
	Text                 string      // the whole record
}

// comparison is a failure beside the last success before it.
type comparison struct {
	ID   ulid.ULID
	Ago  string // from the success to the failure
	Rows []record.Difference
}

// waterfall is a hop's phases as bars. Widths are percentages, heights pixels: the texts are as large on a phone.
type waterfall struct {
	Title  string
	Height int
	Bars   []waterfallBar
}

type waterfallBar struct {
	Phase           result.Phase
	Text            string
	Failed          bool
	X, Width, TextX float64
	Y, TextY        int
}

// The places in the picture: names, then bars, then durations.
const (
	barsFrom, barsWidth = 23, 40
	leastBar            = 0.3 // the shortest is still to be seen
	barHeight           = 24
)

// show answers with one record: human-readable, or with format=text as plain text.
func (h records) show(w http.ResponseWriter, r *http.Request, kept *history.Record) {
	e := metrics.NewExposition()
	e.Probe(kept.Result, kept.Module)
	e.Cause(kept.Found.Verdict)
	if r.URL.Query().Get("format") == "json" {
		out := record.JSONOf(kept.Result, kept.Found)
		out.ID, out.Name = kept.ID, kept.Target
		if c := h.compare(kept); c != nil {
			out.Compared = &record.ComparedJSON{ID: c.ID, Facts: c.Rows}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = out.Write(w) // fails only if the client is gone
		return
	}
	text := record.Text(kept.Result, kept.Module, kept.Found, nil, e)
	if r.URL.Query().Get("format") == "text" || r.URL.Path == "/logs" {
		plainText(w)
		_, _ = w.Write(text) // fails only if the client is gone
		return
	}
	p := newRecordPage(kept, string(text))
	p.Compared, p.Incident = h.compare(kept), h.incidents.Of(kept.Target, kept.ID)
	if h.config.Get().Find(kept.Target) != nil {
		p.Path = targetPath(kept.Target)
	}
	_ = recordTemplate.Execute(page(w), p) // fails only if the client is gone
}

// compare compares a failure with the last success of the same target before it; nil if there is none.
func (h records) compare(kept *history.Record) *comparison {
	if kept.Result.Failure == nil {
		return nil
	}
	r := h.history.SuccessBefore(kept)
	if r == nil {
		return nil
	}
	return &comparison{r.ID, record.Long(kept.Result.Start.Sub(r.Result.Start)),
		record.Compare(r.Result, kept.Result, kept.Module)}
}

func newRecordPage(kept *history.Record, text string) recordPage {
	r := kept.Result
	p := recordPage{
		ID: kept.ID, Name: cmp.Or(kept.Target, r.URL), Target: r.URL, Module: r.Module,
		Start: r.Start.UTC().Format(time.RFC3339), Took: record.Short(r.Elapsed), Allowed: record.Short(r.Timeout),
		Curl: record.Curl(r, r.Last().LastHop(), kept.Module), Text: text,
		Rest: strings.TrimSpace(record.Rest(r.Last())),
	}
	if r.Failure != nil {
		failure := record.FailureOf(r.Failure)
		p.Failure = &failure
	}
	p.Cause = toCause(kept.Found.Verdict)
	for i := range r.Attempts {
		a := &r.Attempts[i]
		for j := range a.Hops {
			title := fmt.Sprintf("Hop %d: %s", j+1, a.Hops[j].URL)
			if len(r.Attempts) > 1 {
				title = fmt.Sprintf("Attempt %d of %d: %s", i+1, len(r.Attempts), title)
			}
			p.Hops = append(p.Hops, newWaterfall(title, &a.Hops[j], a.Elapsed))
		}
	}
	return p
}

func newWaterfall(title string, h *result.Hop, whole time.Duration) waterfall {
	w := waterfall{Title: title, Height: barHeight*len(h.Spans) + 4}
	place := func(d time.Duration) float64 {
		if whole <= 0 {
			return 0
		}
		return barsWidth * float64(min(max(d, 0), whole)) / float64(whole)
	}
	for i, s := range h.Spans {
		from := place(s.Start)
		width := max(leastBar, place(s.Start+s.Duration)-from)
		w.Bars = append(w.Bars, waterfallBar{
			Phase: s.Phase, Text: record.Short(s.Duration), Failed: s.Failed, X: barsFrom + from, Width: width,
			TextX: barsFrom + from + width,
			Y:     i*barHeight + 3, TextY: i*barHeight + 17,
		})
	}
	return w
}
