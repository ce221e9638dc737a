package store

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// slack is by how much an ID's time may differ from its record's or incident's.
const slack = time.Minute

// walk goes through the IDs that follow a prefix, the newest first.
type walk struct {
	cursor *bbolt.Cursor
	prefix []byte
	oldest int64 // milliseconds since 1970, of the last one
	key    []byte
	value  []byte // in a bucket that has values
}

// recordWalks are the walks to the records that the query may select.
func (q *Query) recordWalks(tx *bbolt.Tx) []*walk {
	switch {
	case q.Incident != ID{}:
		return []*walk{q.walk(tx, recordsByIncident, q.Incident[:])}
	case q.Target != "":
		return []*walk{q.walk(tx, recordsByTarget, prefixOf(q.Target))}
	}
	return []*walk{q.walk(tx, records, nil), q.walk(tx, firsts, nil)}
}

// incidentWalks are the walks to the incidents that the query may select.
func (q *Query) incidentWalks(tx *bbolt.Tx) []*walk {
	overlapping := *q
	overlapping.Since = time.Time{} // one that began before may last
	if q.Target != "" {
		return []*walk{overlapping.walk(tx, incidentsByTarget, prefixOf(q.Target))}
	}
	return []*walk{overlapping.walk(tx, incidents, nil)}
}

// walk is a walk through a bucket, to the times that the query is about.
func (q *Query) walk(tx *bbolt.Tx, bucket, prefix []byte) *walk {
	w := &walk{cursor: tx.Bucket(bucket).Cursor(), prefix: prefix, oldest: math.MinInt64}
	newest := bytes.Repeat([]byte{0xff}, len(ID{}))
	if !q.Until.IsZero() {
		newest = binary.BigEndian.AppendUint64(nil, uint64(q.Until.Add(slack).UnixMilli()+1)<<16)
	}
	if !q.Since.IsZero() {
		w.oldest = q.Since.Add(-slack).UnixMilli()
	}
	after := slices.Concat(prefix, newest)
	if w.key, w.value = w.cursor.Seek(after); w.key == nil {
		w.key, w.value = w.cursor.Last()
	}
	for w.key != nil && bytes.Compare(w.key, after) > 0 {
		w.key, w.value = w.cursor.Prev()
	}
	return w
}

// id is the ID that the walk has come to; false at its end.
func (w *walk) id() (ID, bool) {
	if !bytes.HasPrefix(w.key, w.prefix) || len(w.key) != len(w.prefix)+len(ID{}) {
		return ID{}, false
	}
	id := ID(w.key[len(w.prefix):])
	return id, id.millis() >= w.oldest
}

// next is the newest ID of walks, which it passes, with its value where the walk has it; false at the end of all.
func next(walks []*walk) (newest ID, value []byte, found bool) {
	var from *walk
	for _, w := range walks {
		if id, is := w.id(); is && (!found || bytes.Compare(id[:], newest[:]) > 0) {
			newest, value, found, from = id, w.value, true, w
		}
	}
	if found {
		from.key, from.value = from.cursor.Prev()
	}
	return newest, value, found
}
