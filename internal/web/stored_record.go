package web

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"errno_exporter/internal/archive"
	"errno_exporter/internal/record"
	"errno_exporter/prober/result"
)

// showStored answers with a record that is in the store alone: what was made of its result.
func (h records) showStored(w http.ResponseWriter, r *http.Request, stored *archive.Record) {
	switch format := r.URL.Query().Get("format"); {
	case format == "json":
		w.Header().Set("Content-Type", "application/json")
		_ = stored.JSON.Write(w) // fails only if the client is gone
	case format == "text" || r.URL.Path == "/logs":
		plainText(w)
		_, _ = io.WriteString(w, stored.Text) // as above
	default:
		p := newStoredPage(stored)
		p.Incident = h.incidents.Of(p.Name, p.ID)
		if h.config.Get().Find(p.Name) != nil {
			p.Path = targetPath(p.Name)
		}
		_ = recordTemplate.Execute(page(w), p) // as above
	}
}

func newStoredPage(stored *archive.Record) recordPage {
	j := stored.JSON
	took := time.Duration(j.Duration * float64(time.Second))
	p := recordPage{
		ID: j.ID, Name: j.Name, Target: j.Target, Module: j.Module, Start: j.Start.UTC().Format(time.RFC3339),
		Took: record.Short(took), Allowed: record.Short(stored.Timeout), Failure: j.Failure, Cause: toCause(j.Verdict),
		Rest: stored.Rest, Curl: stored.Curl, Text: stored.Text,
	}
	if c := j.Compared; c != nil {
		p.Compared = &comparison{c.ID, record.Long(j.Start.Sub(c.ID.Timestamp())), c.Facts}
	}
	for i := range j.Attempts {
		for n := range j.Attempts[i].Hops {
			hop := &j.Attempts[i].Hops[n]
			title := fmt.Sprintf("Hop %d: %s", n+1, hop.URL)
			if len(j.Attempts) > 1 {
				title = fmt.Sprintf("Attempt %d of %d: %s", i+1, len(j.Attempts), title)
			}
			p.Hops = append(p.Hops, storedWaterfall(title, hop))
		}
	}
	return p
}

// storedWaterfall is the waterfall of a hop's phases, which may take longer than the attempt did.
func storedWaterfall(title string, hop *record.HopJSON) waterfall {
	var h result.Hop
	var whole time.Duration
	for _, phase := range hop.Phases {
		s := result.Span{Phase: phase.Phase, Start: seconds(phase.Start), Duration: seconds(phase.Duration),
			Failed: phase.Failed}
		h.Spans, whole = append(h.Spans, s), max(whole, s.Start+s.Duration)
	}
	return newWaterfall(title, &h, whole)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
