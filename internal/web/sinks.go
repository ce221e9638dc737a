package web

import (
	"context"
	"errors"
	"log/slog"

	"errno_exporter/internal/history"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

// LogTo is the sink that logs one line for each probe, and one for the experiments after a failure.
func LogTo(logger *slog.Logger) watch.Sink {
	return func(p *watch.Published) { LogProbe(logger, p) }
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

// LogProbe writes one line for a probe, with what metrics have as labels under the same names, the record's ID, and its
// trace ID if it has one. A probe that its client cancelled is no evidence about the target.
func LogProbe(logger *slog.Logger, p *watch.Published) {
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
	attrs := append(identity(p), failure(r.Failure)...)
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

// failure is how a probe failed; nothing for a success.
func failure(f *result.Failure) []slog.Attr {
	if f == nil {
		return nil
	}
	attrs := []slog.Attr{slog.String("phase", string(f.Phase)), slog.String("reason", string(f.Reason)),
		slog.String("errno", result.ErrnoName(f.Errno)), slog.String("origin", string(f.Origin)), slog.Any("err", f.Err)}
	if denied, is := errors.AsType[*result.DeniedError](f.Err); is { // the log is the operator's, answers are not
		attrs = append(attrs, slog.Any("denied_address", denied.Addr), slog.Any("denied_network", denied.Network))
	}
	return attrs
}
