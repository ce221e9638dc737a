package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/record"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

// A target on the status page.

// matches reports whether a target has a text in its name, URL, module or labels.
func matches(t *config.Target, query string) bool {
	text := t.Name + "\n" + t.ShownURL + "\n" + t.Module.Name
	for _, l := range t.Labels {
		text += "\n" + l.Name + "=" + l.Value
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(query))
}

func (e *Endpoints) targetStatus(t *watch.Status, now time.Time) targetStatus {
	s := targetStatus{
		Name: t.Target.Name, URL: t.Target.ShownURL, Module: t.Target.Module.Name,
		Labels: t.Target.Labels, State: "unknown", Reliable: true,
		Hour: shareStatus(t.Timeline.Hour), Day: shareStatus(t.Timeline.Day), All: shareStatus(t.Timeline.All),
	}
	if f := t.Timeline.LastFailure; f != nil {
		s.Failure = e.failureStatus(f, now)
	}
	s.Cause, s.Application = toCause(t.Verdict), toApplication(t.Application)
	s.addTicks(t.Timeline.Ticks, e.History.Has)
	if t.Last == nil {
		return s
	}
	s.State = "ok"
	if t.Last.Result.Failure != nil {
		s.State = "failing"
	}
	s.Since, s.SinceText = &t.Timeline.Since, record.Long(now.Sub(t.Timeline.Since))
	s.Reliable, s.Duration = t.Last.Reliable, t.Last.Result.Elapsed.Seconds()
	s.addPhases(t.Last.Result.Last())
	return s
}

func (e *Endpoints) failureStatus(t *state.Tick, now time.Time) *failureStatus {
	s := &failureStatus{Time: t.Ended, Failure: record.FailureOf(t.Failure), Ago: record.Long(now.Sub(t.Ended))}
	s.Error = "" // which is for the record
	if e.History.Has(t.Record) {
		s.Record = t.Record
	}
	return s
}

// phaseUnits is the width of the bar of phases.
const phaseUnits = 1000

func (s *targetStatus) addPhases(a *result.Attempt) {
	var whole time.Duration
	for i := range a.Hops {
		for _, span := range a.Hops[i].Spans {
			whole += span.Duration
		}
	}
	x := 0.0
	for i := range a.Hops {
		for _, span := range a.Hops[i].Spans {
			if span.Phase == result.Validate && !span.Failed {
				continue
			}
			width := 0.0
			if whole > 0 {
				width = phaseUnits * float64(span.Duration) / float64(whole)
			}
			s.Phases = append(s.Phases, phaseStatus{span.Phase, span.Duration.Seconds(), span.Failed,
				record.Short(span.Duration), x, width})
			x += width
		}
	}
}

func (s *targetStatus) addTicks(ticks []state.Tick, kept func(ulid.ULID) bool) {
	var slowest time.Duration
	for _, t := range ticks {
		slowest = max(slowest, t.Elapsed)
	}
	var points, ok, bad strings.Builder
	for i, t := range ticks {
		tick := tickStatus{Time: t.Ended, OK: t.Failure == nil, Seconds: t.Elapsed.Seconds(), X: i * tickStep}
		word := "ok"
		if t.Failure != nil {
			tick.Reason, word = string(t.Failure.Reason), t.Failure.Sentence()
		}
		if kept(t.Record) {
			tick.Record = t.Record
		}
		tick.Title = fmt.Sprintf("%s: %s, in %s", t.Ended.UTC().Format(time.DateTime), word, record.Short(t.Elapsed))
		switch {
		case !tick.Record.IsZero():
			s.Links = append(s.Links, tick)
		case tick.OK:
			fmt.Fprintf(&ok, "M%d 4h6v16h-6z", tick.X)
		default:
			fmt.Fprintf(&bad, "M%d 0h6v20h-6z", tick.X)
		}
		s.Ticks = append(s.Ticks, tick)
		fmt.Fprintf(&points, "%d,%.1f ", i*tickStep+tickStep/2,
			sparklineHeight-1-float64(sparklineHeight-2)*float64(t.Elapsed)/float64(max(slowest, 1)))
	}
	s.OKPath, s.BadPath = ok.String(), bad.String()
	s.Sparkline, s.SlowestText = strings.TrimSpace(points.String()), record.Short(slowest)
}
