package main

import (
	"errno_exporter/internal/archive"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/store"
	"errno_exporter/internal/watch"
	"errno_exporter/internal/web"
)

// rememberedIncidents is how many stored incidents a start reads into memory, the newest first.
const rememberedIncidents = 10_000

// memory is what the exporter remembers of probes: records, and incidents.
type memory struct {
	records   *history.History
	incidents *incident.Log
	archive   *archive.Archive
	sinks     []watch.Sink
}

// newMemory remembers, and goes on with what is stored; the store may be nil.
func newMemory(o *options, stored *store.Store) *memory {
	m := &memory{records: history.New(o.historyLimit)}
	m.archive = archive.New(stored, m.records, o.logger)
	m.incidents = incident.NewLog(incident.Options{Rule: incident.Rule{Successes: o.incidentSuccesses},
		Changed: m.archive.Changed})
	m.incidents.Fill(m.archive.Incidents(rememberedIncidents))
	m.sinks = []watch.Sink{web.IncidentsIn(m.incidents), web.LogTo(o.probeLogger, m.incidents), web.RecordIn(m.records),
		m.archive.RecordsOf(m.incidents)}
	return m
}
