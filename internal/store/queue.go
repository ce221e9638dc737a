package store

import "sync"

// maxQueued is how many bytes of bodies and columns wait to be written; those of incidents have a quarter more, for a
// summary without its records is worth more than records without their summary.
const maxQueued = 16 << 20

// queue is what waits to be written. What is put again replaces what waits.
type queue struct {
	most  int
	more  chan struct{} // has a value when something waits for the next commit
	crowd chan struct{} // has a value when so much waits that it is not to wait any longer

	mu      sync.Mutex // guards what follows
	closed  bool
	waiting map[key]entry // for the next commit
	minor   map[key]entry // for the next one after minorInterval, or after hurry
	writing map[key]entry // are being committed; readers see them
	bytes   int           // of those that wait
	dropped uint64
}

func (q *queue) init(maxSize int64) {
	q.most = int(min(maxQueued, maxSize/16)) // so that one transaction fits into what pruning leaves free
	q.more, q.crowd = make(chan struct{}, 1), make(chan struct{}, 1)
	q.waiting, q.minor = map[key]entry{}, map[key]entry{}
}

// PutRecord stores a record within about a second; one of the same ID is replaced. It never waits: what does not fit
// into memory is dropped, and counted. The body is the store's from then on. Where too much waits for its body, it is
// made at once: its bytes take a tenth of the memory.
func (s *Store) PutRecord(r Record) { s.put(&r) }

// PutIncident stores a summary as PutRecord does a record.
func (s *Store) PutIncident(i Incident) { s.put(&i) }

func (s *Store) put(v value) {
	if s == nil {
		return
	}
	put := s.queue.put(entry{value: v, size: v.size()})
	if put == tooMuch {
		if e := s.codeOne(v, s.options.now()); e.coded != nil {
			put = s.queue.put(e)
		} else {
			return // it is counted
		}
	}
	if put != accepted {
		s.queue.drop()
	}
}

// outcome is what becomes of an entry that is put.
type outcome int

const (
	dropped outcome = iota
	accepted
	tooMuch // it may be accepted with its bytes
)

// put takes an entry if it fits.
func (q *queue) put(e entry) outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(e.value.body().bytes) > maxBody {
		return dropped
	}
	if !q.add(e) {
		if e.coded == nil && e.value.body().later != nil && q.bytes < q.most-q.most/8 {
			return tooMuch
		}
		return dropped
	}
	if q.crowded() {
		signal(q.crowd)
	}
	if e.value.hurries() || q.crowded() {
		q.wake()
	}
	return accepted
}

// room is how many bytes may wait for an entry to be taken: what is without its bytes leaves half for what has them.
func (q *queue) room(e entry) int {
	if e.coded == nil && e.value.body().later != nil {
		return e.value.room(q.most) / 2
	}
	return e.value.room(q.most)
}

// add puts an entry where it waits, in place of what waits under its key, and reports whether it fits. The caller holds
// mu.
func (q *queue) add(e entry) bool {
	k := e.value.key()
	before, waits := q.waiting[k]
	bytes := q.bytes + e.size - before.size - q.minor[k].size
	if bytes > q.room(e) {
		return false
	}
	q.bytes = bytes
	if waits || e.value.hurries() {
		delete(q.minor, k)
		q.waiting[k] = e
	} else {
		q.minor[k] = e
	}
	return true
}

// crowded reports whether what waits takes so much that nothing is to wait any longer. The caller holds mu.
func (q *queue) crowded() bool { return q.bytes > q.most/4 }

func (q *queue) wake() { signal(q.more) }

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// hurry makes minor changes wait for the next commit.
func (q *queue) hurry() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.minor) > 0 {
		q.allHurry()
		q.wake()
	}
}

// allHurry is hurry. The caller holds mu.
func (q *queue) allHurry() {
	for k, e := range q.minor {
		q.waiting[k] = e
	}
	clear(q.minor)
}

// take begins to write what waits.
func (q *queue) take() map[key]entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.crowded() {
		q.allHurry()
	}
	q.writing, q.waiting = q.waiting, map[key]entry{}
	q.bytes = 0
	for _, e := range q.minor {
		q.bytes += e.size
	}
	return q.writing
}

// made replaces what is being written by the same with its bytes: the memory that those were made of is free.
func (q *queue) made(coded map[key]entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing = coded
}

// wrote ends a commit. What could not be written waits again, unless something newer of the same ID does.
func (q *queue) wrote(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.putBack()
	}
	q.writing = nil
}

// putBack puts back as much as fits, incidents first. The caller holds mu.
func (q *queue) putBack() {
	for _, incidents := range []bool{true, false} {
		for k, e := range q.writing {
			if k.incident != incidents {
				continue
			}
			if newer, waits := q.minor[k]; waits { // it tells also what was not to wait
				delete(q.minor, k)
				q.waiting[k] = newer
			}
			if _, newer := q.waiting[k]; !newer && !q.add(e) {
				q.dropped++
			}
		}
	}
}

// drop counts what is not written.
func (q *queue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped++
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
	return len(q.waiting) + len(q.minor) + len(q.writing)
}

// find is a value that waits; nil if none does.
func (q *queue) find(k key) value {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, all := range []map[key]entry{q.waiting, q.minor, q.writing} {
		if e, waits := all[k]; waits {
			return e.value
		}
	}
	return nil
}

// allOf are the records, or the incidents, that wait.
func allOf[T any](q *queue) map[ID]T {
	q.mu.Lock()
	defer q.mu.Unlock()
	found := map[ID]T{}
	for _, all := range []map[key]entry{q.writing, q.minor, q.waiting} { // the newest last
		for k, e := range all {
			if v, is := any(e.value).(*T); is {
				found[k.id] = *v
			}
		}
	}
	return found
}
