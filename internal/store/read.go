package store

import (
	"bytes"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Query selects records or incidents. The zero value selects all.
type Query struct {
	Target       string
	Incident     ID        // of records
	Since, Until time.Time // records of the time between, incidents that overlap it; zero for no bound
	Limit        int       // of how many, the newest; 0 for no bound
	WithoutBody  bool      // Body stays nil
}

// Record is the record of an ID; false if there is none.
func (s *Store) Record(id ID) (Record, bool) {
	if s == nil {
		return Record{}, false
	}
	if waits, is := s.queue.find(key{id: id}).(*Record); is {
		r := *waits
		r.fill()
		return r, true
	}
	var r Record
	found := false
	err := s.view(func(tx *bbolt.Tx) (err error) {
		r, found, err = s.readRecord(tx, &Query{}, located{id: id})
		return err
	})
	return r, found && err == nil
}

// Incident is the incident of an ID; false if there is none.
func (s *Store) Incident(id ID) (Incident, bool) {
	if s == nil {
		return Incident{}, false
	}
	if waits, is := s.queue.find(key{true, id}).(*Incident); is {
		i := *waits
		i.fill()
		return i, true
	}
	var i Incident
	found := false
	err := s.view(func(tx *bbolt.Tx) (err error) {
		i, found, err = s.readIncident(tx, &Query{}, located{id: id})
		return err
	})
	return i, found && err == nil
}

// Records are the records of a query, the newest first.
func (s *Store) Records(q Query) ([]Record, error) {
	if s == nil {
		return nil, nil
	}
	return list(s, lister[Record]{q: &q, waiting: allOf[Record](&s.queue), walks: q.recordWalks, read: s.readRecord,
		wants: q.wantsRecord, id: func(r *Record) ID { return r.ID }, fill: (*Record).fill})
}

// Incidents are the incidents of a query, the newest first.
func (s *Store) Incidents(q Query) ([]Incident, error) {
	if s == nil {
		return nil, nil
	}
	return list(s, lister[Incident]{q: &q, waiting: allOf[Incident](&s.queue), walks: q.incidentWalks,
		read: s.readIncident, wants: q.wantsIncident, id: func(i *Incident) ID { return i.ID }, fill: (*Incident).fill})
}

// lister is how records or incidents are listed.
type lister[T any] struct {
	q       *Query
	waiting map[ID]T // of the queue, from before the file is read: nothing is between them
	walks   func(*bbolt.Tx) []*walk
	read    func(*bbolt.Tx, *Query, located) (T, bool, error)
	wants   func(*T) bool
	id      func(*T) ID
	fill    func(*T) // makes the body of one that waits
}

func list[T any](s *Store, l lister[T]) ([]T, error) {
	found := []T{}
	for _, v := range l.waiting {
		if l.wants(&v) {
			found = append(found, v)
		}
	}
	most := math.MaxInt
	if l.q.Limit > 0 {
		most = len(found) + l.q.Limit
	}
	err := s.view(func(tx *bbolt.Tx) error {
		walks := l.walks(tx)
		for id, value, more := next(walks); more && len(found) < most; id, value, more = next(walks) {
			if _, waits := l.waiting[id]; waits {
				continue
			}
			v, is, err := l.read(tx, l.q, located{id, value})
			if err != nil {
				return err
			}
			if is {
				found = append(found, v)
			}
		}
		return nil
	})
	slices.SortFunc(found, func(a, b T) int {
		newer, older := l.id(&b), l.id(&a)
		return bytes.Compare(newer[:], older[:])
	})
	found = limited(found, l.q.Limit)
	for n := range found {
		if !l.q.WithoutBody {
			l.fill(&found[n])
		}
	}
	return found, err
}

func limited[T any](all []T, limit int) []T {
	if limit > 0 && len(all) > limit {
		return all[:limit]
	}
	return all
}

// wantsRecord reports whether the query selects a record.
func (q *Query) wantsRecord(r *Record) bool {
	return (q.Target == "" || r.Target == q.Target) && (q.Incident == ID{} || r.Incident == q.Incident) &&
		(q.Since.IsZero() || !r.At.Before(q.Since)) && (q.Until.IsZero() || !r.At.After(q.Until))
}

// wantsIncident reports whether the query selects an incident.
func (q *Query) wantsIncident(i *Incident) bool {
	return (q.Target == "" || i.Target == q.Target) && (q.Incident == ID{} || i.ID == q.Incident) &&
		(q.Since.IsZero() || i.End.IsZero() || !i.End.Before(q.Since)) &&
		(q.Until.IsZero() || !i.Begin.After(q.Until))
}

// located is what a walk has come to.
type located struct {
	id    ID
	value []byte // nil where it has to be looked up
}

// readRecord reads a record that the query selects; false if there is none.
func (s *Store) readRecord(tx *bbolt.Tx, q *Query, at located) (Record, bool, error) {
	id := at.id
	value := tx.Bucket(records).Get(id[:]) // the bucket is to be known, whatever the walk has
	first := value == nil
	if first {
		value = tx.Bucket(firsts).Get(id[:])
	}
	if value == nil {
		return Record{}, false, nil
	}
	r, coded, err := recordColumns(id, value)
	if err != nil || !q.wantsRecord(&r) {
		return Record{}, false, err
	}
	r.First = first
	if !q.WithoutBody {
		r.Body, err = s.codec.body(coded)
	}
	return r, err == nil, err
}

// readIncident reads an incident that the query selects; false if there is none.
func (s *Store) readIncident(tx *bbolt.Tx, q *Query, at located) (Incident, bool, error) {
	id, value := at.id, at.value
	if len(value) == 0 { // an index has none
		value = tx.Bucket(incidents).Get(id[:])
	}
	if value == nil {
		return Incident{}, false, nil
	}
	i, _, coded, err := incidentColumns(id, value)
	if err != nil || !q.wantsIncident(&i) {
		return Incident{}, false, err
	}
	if !q.WithoutBody {
		i.Body, err = s.codec.body(coded)
	}
	return i, err == nil, err
}
