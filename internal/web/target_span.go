package web

import (
	"fmt"
	"time"

	"errno_exporter/internal/incident"
)

// An incidentSpan shows a target's incidents over the time that is remembered: a line of time with a box for each.

// The longest and the shortest time of a span, and its size.
const (
	longestSpan         = 30 * 24 * time.Hour
	shortestSpan        = time.Hour
	spanWidth           = 1000
	spanHeight, boxLeft = 24, 2 // the narrowest box
)

type incidentSpan struct {
	Width, Height int
	From          time.Time
	Known         chartBox // since when the target is known
	Boxes         []chartBox
	Label         string // in words
}

// newSpan is the picture of incidents, of a target that is known since a time; nil without incidents.
func newSpan(incidents []*incident.Incident, known, now time.Time) *incidentSpan {
	if len(incidents) == 0 {
		return nil
	}
	from := now.Add(-shortestSpan)
	for _, i := range incidents {
		if i.Begin.Before(from) {
			from = i.Begin
		}
	}
	if !known.IsZero() && known.Before(from) {
		from = known
	}
	if oldest := now.Add(-longestSpan); from.Before(oldest) {
		from = oldest
	}
	s := &incidentSpan{Width: spanWidth, Height: spanHeight, From: from.UTC()}
	place := func(at time.Time) float64 {
		return spanWidth * min(1, max(0, float64(at.Sub(from))/float64(now.Sub(from))))
	}
	if known.IsZero() || incidents[len(incidents)-1].Begin.Before(known) {
		known = incidents[len(incidents)-1].Begin
	}
	s.Known = chartBox{X: place(known), Y: spanHeight / 3, Width: spanWidth - place(known), Height: spanHeight / 3}
	open := 0
	for _, i := range incidents {
		end := now
		if i.Open() {
			open++
		} else {
			end = i.End
		}
		if end.Before(from) {
			continue
		}
		x := place(i.Begin)
		width := max(boxLeft, place(end)-x)
		s.Boxes = append(s.Boxes, chartBox{Class: "bad", X: min(x, spanWidth-width), Width: width, Height: spanHeight,
			Title: i.Main().Sentence + ", " + spell(i, now)})
	}
	s.Label = fmt.Sprintf("%d incidents since %s UTC, of which %d last", len(s.Boxes), s.From.Format(time.DateTime), open)
	return s
}
