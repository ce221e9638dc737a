package web

import (
	"context"
	"errors"
	"log/slog"

	"errno_exporter/internal/history"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

// LogTo is the sink that logs one line for each probe.
func LogTo(logger *slog.Logger) watch.Sink {
	return func(p *watch.Published) {
		if !p.Later {
			LogProbe(logger, p.Result)
		}
	}
}

// RecordIn is the sink that keeps the records of probes.
func RecordIn(records *history.History) watch.Sink {
	return func(p *watch.Published) {
		if p.Later {
			records.Diagnosed(p.ID, p.Found)
			return
		}
		records.Add(history.Record{ID: p.ID, Result: p.Result, Module: p.Module, Found: p.Found})
	}
}

// LogProbe writes one line for each probe. A probe that its client cancelled is no evidence about the target.
func LogProbe(logger *slog.Logger, r *result.Result) {
	level, text := slog.LevelDebug, "probe succeeded"
	if f := r.Failure; f != nil {
		text = "probe failed"
		if f.Reason != result.Abandoned {
			level = slog.LevelInfo
		}
	}
	if bug := r.Panicked(); bug != nil {
		logger.Error("Recovered a panic of a probe, please report this bug", "module", r.Module, "target", r.URL,
			"panic", bug.Value, "stack", string(bug.Stack))
	}
	if !logger.Enabled(context.Background(), level) {
		return
	}
	attrs := []slog.Attr{slog.String("module", r.Module), slog.String("target", r.URL)}
	if f := r.Failure; f != nil {
		attrs = append(attrs, slog.String("phase", string(f.Phase)), slog.String("reason", string(f.Reason)),
			slog.String("errno", result.ErrnoName(f.Errno)), slog.String("origin", string(f.Origin)),
			slog.Any("err", f.Err))
		if denied, is := errors.AsType[*result.DeniedError](f.Err); is { // the log is the operator's, answers are not
			attrs = append(attrs, slog.Any("denied_address", denied.Addr), slog.Any("denied_network", denied.Network))
		}
	}
	logger.LogAttrs(context.Background(), level, text, append(attrs, slog.Duration("duration", r.Elapsed))...)
}
