// Package history keeps the records of recent probes.
package history

import (
	"slices"
	"sync"
	"weak"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Record is one probe that was made, with the module that it was made by.
type Record struct {
	ID     ulid.ULID // of the probe: sorts by time
	Target string    // the configured target's name; empty for a target of /probe
	Result *result.Result
	Module *module.Module
	Found  cause.Findings // why it failed, as far as was known then

	bytes int // about how much memory it takes
}

// Key is what records are kept by.
type Key struct{ Target, Module string }

// KeyOf is the record's key.
func (r *Record) KeyOf() Key { return Key{r.Result.Target.URL.String(), r.Result.Module} }

// History keeps a bounded number of records, and as many failures beside them, so that a failure outlives the successes
// after it. When it is full, the target that has most of them loses its oldest: one that always fails does not push out
// the others. It is bounded in bytes, too: a server may send heads of a megabyte.
type History struct {
	limit    int
	maxBytes int

	mu       sync.Mutex                                     // guards what follows
	modules  map[weak.Pointer[module.Module]]*module.Module // those of recent probes, as records keep them
	results  shelf                                          // of all probes
	failures shelf                                          // that have left results
}

// maxBytes bounds the memory of the records, and that of the failures beside them.
const maxBytes = 16 << 20

// recordBytes is about what a record takes besides its result: itself, its places on a shelf, and the verdict.
const recordBytes = 2 << 10

// New returns an empty History of limit records and limit failures.
func New(limit int) *History {
	return &History{limit: limit, maxBytes: maxBytes, modules: map[weak.Pointer[module.Module]]*module.Module{},
		results: newShelf(), failures: newShelf()}
}

// Add keeps the record of a probe that ended. One that was abandoned is no evidence about its target and is not stored.
func (h *History) Add(added Record) {
	if f := added.Result.Failure; h.limit <= 0 || f != nil && f.Reason == result.Abandoned {
		return
	}
	added.bytes = added.Size() // which takes its time, outside of the lock
	h.mu.Lock()
	defer h.mu.Unlock()
	added.Module = h.shown(added.Module)
	h.results.add(&added)
	h.bound()
}

// Size is about how many bytes of memory the record takes.
func (r *Record) Size() int {
	n := recordBytes + r.Result.Size() + r.Found.Kernel.Size()
	for i := range r.Found.Experiments {
		n += r.Found.Experiments[i].Size()
	}
	return n
}

// bound removes records until the rest is within the bounds. The caller holds mu.
func (h *History) bound() {
	for h.results.count > h.limit || h.results.bytes > h.maxBytes {
		if old := h.results.evict(); old.Result.Failure != nil {
			h.failures.add(old)
		}
	}
	for h.failures.count > h.limit || h.failures.bytes > h.maxBytes {
		h.failures.evict()
	}
}

// maxModules is how many modules are known before those that a reload has replaced are forgotten.
const maxModules = 1000

// shown is a module as records keep it, one for all of its records. The caller holds mu.
func (h *History) shown(m *module.Module) *module.Module {
	key := weak.Make(m)
	if known := h.modules[key]; known != nil {
		return known
	}
	if len(h.modules) >= maxModules {
		clear(h.modules)
	}
	h.modules[key] = m.Shown()
	return h.modules[key]
}

// Diagnosed replaces what was found out about a record's failure, if the record is still kept.
func (h *History) Diagnosed(id ulid.ULID, found cause.Findings) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range []*shelf{&h.results, &h.failures} {
		old := s.byID[id]
		if old == nil {
			continue
		}
		diagnosed := *old // who reads the old one goes on reading it
		diagnosed.Found = found
		diagnosed.bytes = diagnosed.Size()
		s.bytes += diagnosed.bytes - old.bytes
		s.byID[id] = &diagnosed
		records := s.byKey[old.KeyOf()]
		records[slices.Index(records, old)] = &diagnosed
		break
	}
	h.bound()
}

// Size is about how many bytes of memory the records take.
func (h *History) Size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.results.bytes + h.failures.bytes
}

// Trace returns the record of a trace ID, nil if there is none.
func (h *History) Trace(id string) *Record {
	for _, r := range h.Records() {
		if r.Result.TraceID == id && id != "" {
			return r
		}
	}
	return nil
}

// Get returns the record of an ID, nil if it is no longer, or was never, kept.
func (h *History) Get(id ulid.ULID) *Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range []*shelf{&h.results, &h.failures} {
		if r := s.byID[id]; r != nil {
			return r
		}
	}
	return nil
}

// SuccessBefore returns the last success before a failed probe of the same target and module; nil if none is kept.
func (h *History) SuccessBefore(failed *Record) *Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	var last *Record
	for _, r := range h.results.byKey[failed.KeyOf()] {
		if r.Result.Failure == nil && r.Target == failed.Target && r.ID.Compare(failed.ID) < 0 &&
			(last == nil || r.ID.Compare(last.ID) > 0) {
			last = r
		}
	}
	return last
}

// Has reports whether the record of an ID is kept.
func (h *History) Has(id ulid.ULID) bool { return !id.IsZero() && h.Get(id) != nil }

// Records returns what is kept, the newest first.
func (h *History) Records() []*Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*Record, 0, h.results.count+h.failures.count)
	for _, s := range []*shelf{&h.results, &h.failures} {
		for _, r := range s.byID {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *Record) int { return b.ID.Compare(a.ID) })
	return all
}

// shelf holds records by target, each in the order in which they came.
type shelf struct {
	count int
	bytes int
	byKey map[Key][]*Record
	byID  map[ulid.ULID]*Record
}

func newShelf() shelf {
	return shelf{byKey: map[Key][]*Record{}, byID: map[ulid.ULID]*Record{}}
}

func (s *shelf) add(r *Record) {
	key := r.KeyOf()
	s.byKey[key] = append(s.byKey[key], r)
	s.byID[r.ID] = r
	s.count++
	s.bytes += r.bytes
}

// evict removes the oldest record of the target that has most; among several such, the oldest of all.
func (s *shelf) evict() *Record {
	var most Key
	var oldest *Record
	for key, records := range s.byKey {
		if n := len(s.byKey[most]); len(records) > n || len(records) == n && records[0].ID.Compare(oldest.ID) < 0 {
			most, oldest = key, records[0]
		}
	}
	if rest := s.byKey[most][1:]; len(rest) > 0 {
		s.byKey[most] = rest
	} else {
		delete(s.byKey, most)
	}
	delete(s.byID, oldest.ID)
	s.count--
	s.bytes -= oldest.bytes
	return oldest
}
