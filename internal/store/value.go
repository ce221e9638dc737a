package store

import (
	"errors"
	"runtime"
	"time"

	"go.etcd.io/bbolt"

	"errno_exporter/guard"
)

// key is what a value is put under.
type key struct {
	incident bool
	id       ID
}

// value is a record or an incident that was put. It is never changed.
type value interface {
	key() key
	size() int                                     // about how many bytes of memory it holds
	room(most int) int                             // of the queue's bytes, how many it may fill
	hurries() bool                                 // it is for the next commit
	body() *body                                   // its part that is compressed
	columns(to []byte, written time.Time) []byte   // the others, as they are stored
	with(later *Later) value                       // a copy with another body
	store(tx *bbolt.Tx, c *counts, b []byte) error // puts its bytes
}

// body is the body of a value that was put.
type body struct {
	bytes []byte
	later *Later
}

// perQueued is what a value takes in memory beside its body.
const perQueued = 256

func (b *body) size() int {
	if b.later != nil {
		return perQueued + b.later.Size
	}
	return perQueued + len(b.bytes)
}

// make makes the body.
func (b *body) make() []byte {
	if b.later != nil {
		return b.later.Make()
	}
	return b.bytes
}

// entry is a value that waits, with its bytes once they were made.
type entry struct {
	value value
	coded []byte
	size  int
}

// code makes the bytes of values, apart from any transaction. Those of one follow those of another only when other
// goroutines had their turn: a thousand targets may begin to fail at once, while the probes of others go on.
func (s *Store) code(taken map[key]entry) map[key]entry {
	coded, written := make(map[key]entry, len(taken)), s.options.now()
	for k, e := range taken {
		if e.coded == nil {
			if e = s.codeOne(e.value, written); e.coded == nil {
				continue
			}
			runtime.Gosched()
		}
		coded[k] = e
	}
	return coded
}

// codeOne makes the bytes of a value; none where it is too large, or cannot be made.
func (s *Store) codeOne(v value, written time.Time) (e entry) {
	if p := guard.Try(func() {
		made := v.body().make()
		if len(made) > maxBody {
			s.queue.drop()
			return
		}
		columns := v.columns(nil, written)
		coded := s.codec.append(columns, made)
		body := coded[len(columns):]
		v = v.with(&Later{Size: len(coded), Make: func() []byte {
			made, _ := s.codec.body(body) // which is whole
			return made
		}})
		e = entry{v, coded, v.size()}
	}); p != nil {
		s.queue.drop()
		s.options.Panicked.Tell(p)
	}
	return e
}

// fill makes the body of a copy that is read.
func (r *Record) fill()   { r.Body, r.Later = r.body().make(), nil }
func (i *Incident) fill() { i.Body, i.Later = i.body().make(), nil }

func (r *Record) key() key        { return key{id: r.ID} }
func (r *Record) size() int       { return r.body().size() + len(r.Target) }
func (*Record) room(most int) int { return most }
func (*Record) hurries() bool     { return true }
func (r *Record) body() *body     { return &body{r.Body, r.Later} }

func (r *Record) with(later *Later) value {
	copied := *r
	copied.Body, copied.Later = nil, later
	return &copied
}

func (r *Record) columns(to []byte, _ time.Time) []byte {
	to = appendTime(append(to, r.Incident[:]...), r.At)
	return appendText(to, r.Target)
}

func (r *Record) store(tx *bbolt.Tx, c *counts, b []byte) error {
	into, other := records, firsts
	if r.First {
		into, other = firsts, records
	}
	if tx.Bucket(other).Get(r.ID[:]) == nil && tx.Bucket(into).Get(r.ID[:]) == nil {
		c.records++
	}
	err := errors.Join(
		tx.Bucket(other).Delete(r.ID[:]),
		put(tx, into, r.ID[:], b),
		put(tx, recordsByTarget, indexKey(r.Target, r.ID), nil))
	if r.Incident != (ID{}) {
		err = errors.Join(err, put(tx, recordsByIncident, append(r.Incident[:], r.ID[:]...), nil))
	}
	return err
}

func (i *Incident) key() key        { return key{true, i.ID} }
func (i *Incident) size() int       { return i.body().size() + len(i.Target) }
func (*Incident) room(most int) int { return most + most/4 }
func (i *Incident) hurries() bool   { return !i.Minor }
func (i *Incident) body() *body     { return &body{i.Body, i.Later} }

func (i *Incident) with(later *Later) value {
	copied := *i
	copied.Body, copied.Later = nil, later
	return &copied
}

func (i *Incident) columns(to []byte, written time.Time) []byte {
	to = appendTime(appendTime(appendTime(to, i.Begin), i.End), written)
	return appendText(to, i.Target)
}

func (i *Incident) store(tx *bbolt.Tx, c *counts, b []byte) error {
	if tx.Bucket(incidents).Get(i.ID[:]) == nil {
		c.incidents++
	}
	return errors.Join(
		put(tx, incidents, i.ID[:], b),
		put(tx, incidentsByTarget, indexKey(i.Target, i.ID), nil))
}
