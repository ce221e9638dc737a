package web

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/incident"
)

// Incidents are where they were in time, also those that last, are longer ago than the picture, or hardly visible.
func TestSpan(t *testing.T) {
	made := func(begin, end time.Duration) *incident.Incident { // before noon; no end for one that lasts
		i := *remembered()[1]
		if i.Begin, i.End, i.Ended = noon.Add(-begin), noon.Add(-end), incident.Recovered; end == 0 {
			i.End, i.Ended = time.Time{}, ""
		}
		return &i
	}
	const day = 24 * time.Hour
	for _, row := range []struct {
		name      string
		incidents []*incident.Incident
		known     time.Duration // before noon
		from      time.Duration
		knownAt   float64
		boxes     [][2]float64 // place and width
		label     string
	}{
		{"one that lasts", []*incident.Incident{made(30*time.Minute, 0)}, 45 * time.Minute, time.Hour, 250,
			[][2]float64{{500, 500}}, "1 incidents since 2026-11-21 11:00:00 UTC, of which 1 last"},
		{"a short one, and an older one", []*incident.Incident{made(time.Second, time.Millisecond), made(day, 12*time.Hour)},
			2 * day, 2 * day, 0, [][2]float64{{998, 2}, {500, 250}},
			"2 incidents since 2026-11-19 12:00:00 UTC, of which 0 last"},
		{"from before a restart, one longer ago than the picture", []*incident.Incident{made(15*day, 12*day),
			made(33*day, 27*day), made(50*day, 40*day)}, time.Hour, 30 * day, 0, [][2]float64{{500, 100}, {0, 100}},
			"2 incidents since 2026-10-22 12:00:00 UTC, of which 0 last"},
	} {
		s := newSpan(row.incidents, noon.Add(-row.known), noon)
		var boxes [][2]float64
		for _, b := range s.Boxes {
			boxes = append(boxes, [2]float64{b.X, b.Width})
		}
		if diff := cmp.Diff(row.boxes, boxes); diff != "" || !s.From.Equal(noon.Add(-row.from)) || s.Known.X != row.knownAt ||
			s.Label != row.label {
			t.Errorf("%s: from %s, known at %g, %q, boxes (-want +got):\n%s", row.name, s.From, s.Known.X, s.Label, diff)
		}
	}
	if newSpan(nil, noon, noon) != nil {
		t.Error("a picture without incidents")
	}
}
