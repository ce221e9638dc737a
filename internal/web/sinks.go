package web

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

// LogTo is the sink that logs one line for each probe, and one for the experiments after a failure. The incidents,
// which may be nil, are those that an earlier sink notes.
func LogTo(logger *slog.Logger, incidents *incident.Log) watch.Sink {
	return func(p *watch.Published) { LogProbe(logger, p, incidents) }
}

// IncidentsIn is the sink that notes the incidents of configured targets. A failure that is a caller's alone is none of
// its target's, nor is one that its client cancelled.
func IncidentsIn(incidents *incident.Log) watch.Sink {
	return func(p *watch.Published) {
		if p.Target == "" || p.Callers {
			return
		}
		if f := p.Result.Failure; f != nil && f.Reason == result.Abandoned {
			return
		}
		s := incident.Of(p.Result, p.Found)
		s.ID, s.Target, s.Unreliable, s.Application = p.ID, p.Target, !p.Reliable, p.Application
		if p.Later {
			s.At = time.Now()
			incidents.Learned(s)
			return
		}
		incidents.Observe(s, p.Found.Kernel)
	}
}

// RecordIn is the sink that keeps the records of probes.
func RecordIn(records *history.History) watch.Sink {
	return func(p *watch.Published) {
		if p.Later {
			records.Diagnosed(p.ID, p.Found)
			return
		}
		records.Add(history.Record{ID: p.ID, Target: p.Target, Result: p.Result, Module: p.Module, Found: p.Found})
	}
}

// LogProbe writes one line for a probe, with what metrics have as labels under the same names, the IDs of its record,
// of its trace if it has one, and of the incident that a failure belongs to. A probe that its client cancelled is no
// evidence about the target.
func LogProbe(logger *slog.Logger, p *watch.Published, incidents *incident.Log) {
	r := p.Result
	level, text := slog.LevelDebug, "probe succeeded"
	if f := r.Failure; f != nil {
		text = "probe failed"
		if f.Reason != result.Abandoned {
			level = slog.LevelInfo
		}
	}
	if p.Later {
		text = "failure diagnosed"
	}
	if bug := r.Panicked(); bug != nil && !p.Later {
		logger.Error("Recovered a panic of a probe, please report this bug", "module", r.Module, "target", r.URL,
			"panic", bug.Value, "stack", string(bug.Stack))
	}
	if !logger.Enabled(context.Background(), level) {
		return
	}
	attrs := identity(p)
	if r.Failure != nil {
		if i := incidents.Of(p.Target, p.ID); i != nil {
			attrs = append(attrs, slog.String("incident", i.ID.String()))
		}
		attrs = append(attrs, failure(r.Failure)...)
	}
	if v := p.Found.Verdict; v != nil {
		attrs = append(attrs, slog.String("cause", string(v.Cause)), slog.String("party", string(v.Party)),
			slog.String("confidence", string(v.Confidence)))
	}
	if p.Later {
		attrs = append(attrs, slog.Int("experiments", len(p.Found.Experiments)))
	} else {
		attrs = append(attrs, slog.Duration("duration", r.Elapsed))
	}
	logger.LogAttrs(context.Background(), level, text, attrs...)
}

// identity is what a line is about.
func identity(p *watch.Published) []slog.Attr {
	r := p.Result
	attrs := []slog.Attr{slog.String("module", r.Module)}
	if p.Target != "" {
		attrs = append(attrs, slog.String("target", p.Target), slog.String("url", r.URL))
	} else {
		attrs = append(attrs, slog.String("target", r.URL))
	}
	attrs = append(attrs, slog.String("record", p.ID.String()))
	if r.TraceID != "" {
		attrs = append(attrs, slog.String("trace_id", r.TraceID))
	}
	return attrs
}

// failure is how a probe failed.
func failure(f *result.Failure) []slog.Attr {
	attrs := []slog.Attr{slog.String("phase", string(f.Phase)), slog.String("reason", string(f.Reason)),
		slog.String("errno", result.ErrnoName(f.Errno)), slog.String("origin", string(f.Origin)), slog.Any("err", f.Err)}
	if denied, is := errors.AsType[*result.DeniedError](f.Err); is { // the log is the operator's, answers are not
		attrs = append(attrs, slog.Any("denied_address", denied.Addr), slog.Any("denied_network", denied.Network))
	}
	return attrs
}
