// Package archive stores incidents and the records of failures, and reads them back. A record that is read is no
// result: it is the JSON and the text that were made of it.
package archive

import (
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/record"
	"errno_exporter/internal/store"
	"errno_exporter/internal/watch"
)

// repeatInterval is between two stored records of failures of one incident that are alike: the text of a record takes
// longer to make than the rest of a scrape's work for a target. It is made by the store, when it writes the record.
const repeatInterval = 10 * time.Minute

// schema is the version of a stored record.
const schema = 1

// Record is a stored record: what pages and the API show of it. Secrets are masked.
type Record struct {
	Schema  int           `json:"schema"`
	JSON    *record.JSON  `json:"record"`
	Text    string        `json:"text"`
	Rest    string        `json:"rest"` // where the rest of the last attempt's time went
	Curl    string        `json:"curl"`
	Timeout time.Duration `json:"timeout"` // nanoseconds
}

// Archive stores and reads. It may be used by many goroutines.
type Archive struct {
	store   *store.Store
	records *history.History
	logger  *slog.Logger

	mu   sync.Mutex           // guards last
	last map[string]time.Time // by target with an open incident, when a record of it was stored
}

// New returns an Archive; the store may be nil. The records are those in memory.
func New(s *store.Store, records *history.History, logger *slog.Logger) *Archive {
	return &Archive{store: s, records: records, logger: logger, last: map[string]time.Time{}}
}

// Incidents are the stored ones, the newest first, at most limit; 0 for all. Those of another version that cannot be
// read are left out, with a line in the log.
func (a *Archive) Incidents(limit int) []*incident.Incident {
	stored, err := a.store.Incidents(store.Query{Limit: limit})
	if err != nil {
		a.logger.Warn("Stored incidents cannot be read", "path", a.store.Path(), "err", err)
	}
	var all []*incident.Incident
	for i := range stored {
		decoded, failed := incident.Decode(stored[i].Body)
		if failed != nil {
			err = failed
			continue
		}
		all = append(all, decoded)
	}
	if len(all) < len(stored) {
		a.logger.Warn("Stored incidents are left out: they cannot be read", "path", a.store.Path(),
			"number", len(stored)-len(all), "err", err)
	}
	return all
}

// Lasted are the stored incidents that lasted at a time. Those whose end nobody stored ended with their last failure.
// A nil Archive has none.
func (a *Archive) Lasted(at time.Time) []*incident.Incident {
	if a == nil {
		return nil
	}
	stored, err := a.store.Incidents(store.Query{Since: at, Until: at})
	if err != nil {
		a.logger.Warn("Stored incidents cannot be read", "path", a.store.Path(), "err", err)
	}
	var all []*incident.Incident
	for n := range stored {
		i, err := incident.Decode(stored[n].Body)
		if err != nil {
			continue // which the start has logged
		}
		if i.Open() {
			i = i.Lost()
		}
		if i.End.After(at) {
			all = append(all, i)
		}
	}
	return all
}

// Incident is a stored incident; nil if there is none. A nil Archive has none, and no records.
func (a *Archive) Incident(id ulid.ULID) *incident.Incident {
	if a == nil {
		return nil
	}
	stored, found := a.store.Incident(store.ID(id))
	if !found {
		return nil
	}
	decoded, err := incident.Decode(stored.Body)
	if err != nil {
		return nil
	}
	return decoded
}

// Record is a stored record; nil if there is none.
func (a *Archive) Record(id ulid.ULID) *Record {
	if a == nil {
		return nil
	}
	stored, found := a.store.Record(store.ID(id))
	if !found {
		return nil
	}
	return decode(stored.Body)
}

// Records are the stored ones that a query chooses, the newest first. A nil Archive has none.
func (a *Archive) Records(q store.Query) []*Record {
	if a == nil {
		return nil
	}
	stored, err := a.store.Records(q)
	if err != nil {
		a.logger.Warn("Stored records cannot be read", "path", a.store.Path(), "err", err)
	}
	var all []*Record
	for i := range stored {
		if r := decode(stored[i].Body); r != nil {
			all = append(all, r)
		}
	}
	return all
}

func decode(body []byte) *Record {
	r := new(Record)
	if err := json.Unmarshal(body, r); err != nil || r.Schema != schema || r.JSON == nil {
		return nil
	}
	r.JSON.Verdict = r.JSON.Verdict.Known()
	return r
}

// Changed stores an incident that began, changed or ended; where it only goes on, within a minute. With its end the
// records of the first failure, of which more is known by then, and of the last are stored, if they are still in
// memory.
func (a *Archive) Changed(before, i *incident.Incident) {
	if a.store == nil {
		return
	}
	a.store.PutIncident(store.Incident{ID: store.ID(i.ID), Target: i.Target, Begin: i.Begin, End: i.End,
		Later: &store.Later{Make: i.Encode, Size: i.Size()}, Minor: i.GoesOn(before)})
	if i.Open() {
		return
	}
	a.mu.Lock()
	delete(a.last, i.Target)
	a.mu.Unlock()
	for _, id := range []ulid.ULID{i.First, i.Last} {
		if kept := a.records.Get(id); kept != nil {
			a.put(i, &watch.Published{ID: id, Target: kept.Target, Result: kept.Result, Module: kept.Module,
				Found: kept.Found})
		}
	}
}

// RecordsOf is the sink that stores the records of failures: the first of an incident, the first of each kind, those
// after which experiments were made, and then one in ten minutes. The incidents are those that an earlier sink notes.
func (a *Archive) RecordsOf(incidents *incident.Log) watch.Sink {
	return func(p *watch.Published) {
		if a.store == nil || p.Result.Failure == nil {
			return
		}
		if i := incidents.Of(p.Target, p.ID); i != nil && (p.Later || a.due(i, p)) {
			a.put(i, p)
		}
	}
}

// due reports whether a failure's record is to be stored, and notes that it is.
func (a *Archive) due(i *incident.Incident, p *watch.Published) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	age := p.Result.Start.Sub(a.last[p.Target])
	due := age >= repeatInterval || age < 0
	for n := range i.Kinds {
		due = due || i.Kinds[n].Record == p.ID
	}
	if due {
		a.last[p.Target] = p.Result.Start
	}
	return due
}

// put stores a record. Its text and JSON are made by the store: the probe's answer does not wait for them. Nobody
// changes a result that was published.
func (a *Archive) put(i *incident.Incident, p *watch.Published) {
	failed := &history.Record{ID: p.ID, Target: p.Target, Result: p.Result, Module: p.Module, Found: p.Found}
	size := failed.Size()
	success := a.records.SuccessBefore(failed) // which may be forgotten by then
	if success != nil {
		size += success.Size()
	}
	a.store.PutRecord(store.Record{ID: store.ID(p.ID), Incident: store.ID(i.ID), Target: p.Target, At: p.Result.Start,
		First: p.ID == i.First, Later: &store.Later{Make: func() []byte { return encode(failed, success) }, Size: size}})
}

// encode is the record as it is stored. The success before it may be nil.
func encode(p, success *history.Record) []byte {
	r, shown := p.Result, p.Module.Shown()
	samples := metrics.NewExposition()
	samples.Probe(r, shown)
	samples.Cause(p.Found.Verdict)
	out := Record{Schema: schema, JSON: record.JSONOf(r, p.Found), Timeout: r.Timeout,
		Text: string(record.Text(r, shown, p.Found, nil, samples)),
		Rest: strings.TrimSpace(record.Rest(r.Last())), Curl: record.Curl(r, r.Last().LastHop(), shown)}
	out.JSON.ID, out.JSON.Name = p.ID, p.Target
	if success != nil {
		out.JSON.Compared = &record.ComparedJSON{ID: success.ID, Facts: record.Compare(success.Result, r, shown)}
	}
	b, _ := json.Marshal(&out) // plain values: there is nothing that cannot be marshalled
	return b
}
