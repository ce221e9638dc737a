package store

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// How the file is kept within its bound. It never shrinks: pages of what is removed are used again. So what is in use
// is measured, and when it reaches 85 % of the bound, the oldest go until it is 75 %. Up to 94 % the rest holds the
// copies that a transaction makes of the pages it changes, and gaps; the last 6 % are for the transactions that remove.
const (
	fullPercent  = 85
	roomPercent  = 75
	writePercent = 94
)

// percent is a share of the bound, in bytes.
func (s *Store) percent(n int64) int64 { return s.options.MaxSize / 100 * n }

// writeLimit is the size up to which the file may grow by what is put. One that is larger, from when its bound was,
// stays as it is.
func (s *Store) writeLimit() int64 { return max(s.percent(writePercent), s.fileBytes()) }

// What one transaction removes at most: records and incidents, and bytes of them, which are as many as a 64th of the
// bound, so that a step too many costs little.
const (
	perPrune      = 1000
	leastPerPrune = 64 << 10
	mostPerPrune  = 2 << 20
)

// prune removes what is older than the retention.
func (s *Store) prune() {
	before := s.options.now().Add(-s.options.Retention)
	for s.removes(func(tx *bbolt.Tx, p *pruning) error { return p.expire(tx, before) }) {
	}
	s.makeRoom()
}

// makeRoom removes the oldest while the file is too full: first the records that are not the first ones of their
// incidents, then whole incidents.
func (s *Store) makeRoom() {
	if s.measure() != nil || s.Stats().UsedBytes <= s.percent(fullPercent) {
		return
	}
	for s.removes(removeOldest) && s.measure() == nil && s.Stats().UsedBytes > s.percent(roomPercent) {
	}
}

func removeOldest(tx *bbolt.Tx, p *pruning) error { return p.oldest(tx) }

// errNothing ends a transaction that has nothing to commit.
var errNothing = errors.New("nothing to commit")

// removes runs a step of pruning, and reports whether it removed something.
func (s *Store) removes(step func(*bbolt.Tx, *pruning) error) bool {
	p := &pruning{most: int(min(max(s.options.MaxSize/64, leastPerPrune), mostPerPrune))}
	err := s.update(unbounded, func(tx *bbolt.Tx) (err error) {
		if p.counts, err = readCounts(tx); err != nil {
			return err
		}
		if err = step(tx, p); err == nil && p.removed == 0 {
			return errNothing
		}
		return errors.Join(err, noteCounts(tx, p.counts))
	})
	if err != nil {
		s.report(err)
		return false
	}
	s.counted.mu.Lock()
	defer s.counted.mu.Unlock()
	s.counted.stats.Pruned += uint64(p.removed)
	return p.removed > 0
}

// pruning is one transaction that removes.
type pruning struct {
	counts  counts
	most    int // bytes to remove
	removed int
	bytes   int
}

// enough reports whether the transaction is long enough.
func (p *pruning) enough() bool { return p.removed >= perPrune || p.bytes >= p.most }

// expire removes what is older than a time. Incidents are as old as their last write, and their first records as they.
func (p *pruning) expire(tx *bbolt.Tx, before time.Time) error {
	if err := p.dropRecords(tx, records, func(_ *bbolt.Tx, r *Record) verdict {
		if r.At.Before(before) {
			return remove
		}
		return stop
	}); err != nil {
		return err
	}
	for _, i := range byWrite(tx) {
		if p.enough() || !i.written.Before(before) {
			break
		}
		if err := p.dropIncident(tx, i); err != nil {
			return err
		}
	}
	if err := p.dropRecords(tx, firsts, func(tx *bbolt.Tx, r *Record) verdict {
		switch {
		case !r.At.Before(before):
			return stop
		case tx.Bucket(incidents).Get(r.Incident[:]) != nil:
			return keep
		}
		return remove
	}); err != nil {
		return err
	}
	return p.expireTotals(tx, before)
}

// oldest removes the oldest.
func (p *pruning) oldest(tx *bbolt.Tx) error {
	always := func(*bbolt.Tx, *Record) verdict { return remove }
	if err := p.dropRecords(tx, records, always); err != nil || p.removed > 0 {
		return err
	}
	for _, i := range byWrite(tx) {
		if p.enough() {
			return nil
		}
		if err := p.dropIncident(tx, i); err != nil {
			return err
		}
	}
	if p.removed > 0 {
		return nil
	}
	return p.dropRecords(tx, firsts, always)
}

// verdict is what becomes of a record.
type verdict int

const (
	remove verdict = iota
	keep
	stop // and of those after it
)

// dropRecords removes records of a bucket, the oldest first.
func (p *pruning) dropRecords(tx *bbolt.Tx, bucket []byte, decide func(*bbolt.Tx, *Record) verdict) error {
	var ids []ID // a cursor is not moved by what it removes
	size := p.bytes
	cursor := tx.Bucket(bucket).Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		if len(ids)+p.removed >= perPrune || size >= p.most || len(key) != len(ID{}) {
			break
		}
		r, _, err := recordColumns(ID(key), value)
		if err != nil {
			return err
		}
		decided := decide(tx, &r)
		if decided == stop {
			break
		}
		if decided == remove {
			ids = append(ids, r.ID)
			size += len(value)
		}
	}
	for _, id := range ids {
		if err := p.dropRecord(tx, bucket, id); err != nil {
			return err
		}
	}
	return nil
}

// dropRecord removes a record, and what leads to it.
func (p *pruning) dropRecord(tx *bbolt.Tx, bucket []byte, id ID) error {
	value := tx.Bucket(bucket).Get(id[:])
	if value == nil {
		return nil
	}
	r, _, err := recordColumns(id, value)
	if err != nil {
		return err
	}
	p.removed++
	p.bytes += len(value)
	p.counts.records = max(1, p.counts.records) - 1
	if err := tx.Bucket(recordsByTarget).Delete(indexKey(r.Target, id)); err != nil {
		return err
	}
	if err := tx.Bucket(recordsByIncident).Delete(append(r.Incident[:], id[:]...)); err != nil {
		return err
	}
	return tx.Bucket(bucket).Delete(id[:])
}

// writtenIncident is an incident by when it was last written.
type writtenIncident struct {
	id      ID
	target  string
	written time.Time
	bytes   int
}

// byWrite are all incidents, the one that was not written for longest first.
func byWrite(tx *bbolt.Tx) []writtenIncident {
	var all []writtenIncident
	cursor := tx.Bucket(incidents).Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		if len(key) != len(ID{}) {
			continue
		}
		i, written, _, _ := incidentColumns(ID(key), value) // one that cannot be read is the oldest
		all = append(all, writtenIncident{i.ID, i.Target, written, len(value)})
	}
	slices.SortFunc(all, func(a, b writtenIncident) int { return a.written.Compare(b.written) })
	return all
}

// dropIncident removes an incident, with its records.
func (p *pruning) dropIncident(tx *bbolt.Tx, i writtenIncident) error {
	var ids []ID
	cursor := tx.Bucket(recordsByIncident).Cursor()
	for key, _ := cursor.Seek(i.id[:]); bytes.HasPrefix(key, i.id[:]); key, _ = cursor.Next() {
		ids = append(ids, ID(key[len(ID{}):]))
	}
	for _, id := range ids {
		for _, bucket := range [][]byte{records, firsts} {
			if err := p.dropRecord(tx, bucket, id); err != nil {
				return err
			}
		}
	}
	p.removed++
	p.bytes += i.bytes
	p.counts.incidents = max(1, p.counts.incidents) - 1
	if err := tx.Bucket(incidentsByTarget).Delete(indexKey(i.target, i.id)); err != nil {
		return err
	}
	return tx.Bucket(incidents).Delete(i.id[:])
}

// expireTotals removes the counters of targets that are no longer there.
func (p *pruning) expireTotals(tx *bbolt.Tx, before time.Time) error {
	var keys [][]byte
	cursor := tx.Bucket(totals).Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		if len(value) < 8 || timeOf(value).Before(before) {
			keys = append(keys, bytes.Clone(key))
		}
	}
	for _, key := range keys {
		p.removed++
		if err := tx.Bucket(totals).Delete(key); err != nil {
			return err
		}
	}
	return nil
}
