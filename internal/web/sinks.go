package web

import (
	"log/slog"

	"errno_exporter/internal/history"
	"errno_exporter/internal/watch"
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
