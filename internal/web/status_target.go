package web

import (
	"strings"

	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/result"
)

// A target in the status page's JSON.

// matches reports whether a target has a text in its name, URL, module or labels.
func matches(t *config.Target, query string) bool {
	text := t.Name + "\n" + t.ShownURL + "\n" + t.Module.Name
	for _, l := range t.Labels {
		text += "\n" + l.Name + "=" + l.Value
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(query))
}

func (e *Endpoints) targetStatus(t *seen) targetStatus {
	line := &t.Timeline
	s := targetStatus{
		Name: t.Target.Name, URL: t.Target.ShownURL, Module: t.Target.Module.Name,
		Labels: t.Target.Labels, State: state.State(t.State), Warnings: t.Warnings, Reliable: true,
		Hour: shareStatus(line.Hour), Day: shareStatus(line.Day), Month: shareStatus(line.Month),
		All: shareStatus(line.All), P50: t.P50.Seconds(), P95: t.P95.Seconds(),
		Incident: t.Incident,
	}
	if t.Failure != nil {
		failure := *t.Failure
		failure.Record = e.keptID(failure.Record)
		s.Failure = &failure
	}
	if t.State == degraded {
		s.State = state.OK
	}
	s.Cause, s.Application = toCause(t.Verdict), toApplication(t.Application)
	s.addTicks(line.Ticks, e.History.Has)
	if !t.Since.IsZero() {
		s.Since = &t.Since
	}
	if !line.First.IsZero() {
		s.Known = &line.First
	}
	if t.Last != nil {
		s.Reliable, s.Duration = t.Last.Reliable, t.Last.Result.Elapsed.Seconds()
		s.addPhases(t.Last.Result.Last())
	}
	return s
}

func (s *targetStatus) addPhases(a *result.Attempt) {
	for i := range a.Hops {
		for _, span := range a.Hops[i].Spans {
			if span.Phase == result.Validate && !span.Failed {
				continue
			}
			s.Phases = append(s.Phases, phaseStatus{span.Phase, span.Duration.Seconds(), span.Failed})
		}
	}
}

func (s *targetStatus) addTicks(ticks []state.Tick, kept func(ulid.ULID) bool) {
	for i := range ticks {
		t := &ticks[i]
		tick := tickStatus{Time: t.Ended, OK: t.Failure == nil, Seconds: t.Elapsed.Seconds()}
		if t.Failure != nil {
			tick.Reason = string(t.Failure.Reason)
		}
		if kept(t.Record) {
			tick.Record = t.Record
		}
		s.Ticks = append(s.Ticks, tick)
	}
}
