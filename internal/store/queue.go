package store

import (
	"maps"
	"sync"
)

// maxQueued is how many bytes of bodies and columns wait to be written; those of incidents have a quarter more, for a
// summary without its records is worth more than records without their summary.
const maxQueued = 16 << 20

// perQueued is what an entry takes beside its body.
const perQueued = 256

// queue is what waits to be written. What is put again replaces what waits.
type queue struct {
	most    int
	more    chan struct{} // has a value when something waits
	mu      sync.Mutex    // guards what follows
	closed  bool
	waiting batch
	writing batch // is being committed; readers see it
	dropped uint64
}

// batch is what one transaction writes.
type batch struct {
	records   map[ID]Record
	incidents map[ID]Incident
	bytes     int
}

func (q *queue) init(maxSize int64) {
	q.most = int(min(maxQueued, maxSize/16)) // so that one transaction fits into what pruning leaves free
	q.more = make(chan struct{}, 1)
	q.waiting, q.writing = newBatch(), newBatch()
}

func newBatch() batch { return batch{records: map[ID]Record{}, incidents: map[ID]Incident{}} }

func (b *batch) len() int { return len(b.records) + len(b.incidents) }

func (r *Record) size() int   { return perQueued + len(r.Target) + len(r.Body) }
func (i *Incident) size() int { return perQueued + len(i.Target) + len(i.Body) }

// PutRecord stores a record within about a second; one of the same ID is replaced. It never waits: what does not fit
// into memory is dropped, and counted. The body is the store's from then on.
func (s *Store) PutRecord(r Record) {
	if s == nil {
		return
	}
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	before, replaces := q.waiting.records[r.ID]
	bytes := q.waiting.bytes + r.size()
	if replaces {
		bytes -= before.size()
	}
	if q.closed || len(r.Body) > maxBody || bytes > q.most {
		q.dropped++
		return
	}
	q.waiting.records[r.ID], q.waiting.bytes = r, bytes
	q.wake()
}

// PutIncident stores a summary as PutRecord does a record.
func (s *Store) PutIncident(i Incident) {
	if s == nil {
		return
	}
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	before, replaces := q.waiting.incidents[i.ID]
	bytes := q.waiting.bytes + i.size()
	if replaces {
		bytes -= before.size()
	}
	if q.closed || len(i.Body) > maxBody || bytes > q.most+q.most/4 {
		q.dropped++
		return
	}
	q.waiting.incidents[i.ID], q.waiting.bytes = i, bytes
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// take begins to write what waits.
func (q *queue) take() batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing, q.waiting = q.waiting, newBatch()
	return q.writing
}

// wrote ends a commit. What could not be written waits again, unless something newer of the same ID does.
func (q *queue) wrote(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.putBack()
	}
	q.writing = newBatch()
}

// putBack puts back as much as fits. The caller holds mu.
func (q *queue) putBack() {
	w := &q.waiting
	for id, i := range q.writing.incidents {
		if _, newer := w.incidents[id]; newer {
			continue
		}
		if w.bytes+i.size() > q.most+q.most/4 {
			q.dropped++
			continue
		}
		w.incidents[id], w.bytes = i, w.bytes+i.size()
	}
	for id, r := range q.writing.records {
		if _, newer := w.records[id]; newer {
			continue
		}
		if w.bytes+r.size() > q.most {
			q.dropped++
			continue
		}
		w.records[id], w.bytes = r, w.bytes+r.size()
	}
}

// close takes nothing more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting.len() + q.writing.len()
}

// record is a record that waits.
func (q *queue) record(id ID) (Record, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r, waits := q.waiting.records[id]; waits {
		return r, true
	}
	r, waits := q.writing.records[id]
	return r, waits
}

// incident is an incident that waits.
func (q *queue) incident(id ID) (Incident, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i, waits := q.waiting.incidents[id]; waits {
		return i, true
	}
	i, waits := q.writing.incidents[id]
	return i, waits
}

// allRecords are the records that wait.
func (q *queue) allRecords() map[ID]Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := maps.Clone(q.writing.records)
	maps.Copy(all, q.waiting.records)
	return all
}

// allIncidents are the incidents that wait.
func (q *queue) allIncidents() map[ID]Incident {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := maps.Clone(q.writing.incidents)
	maps.Copy(all, q.waiting.incidents)
	return all
}
