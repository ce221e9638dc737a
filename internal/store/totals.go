package store

import (
	"bytes"
	"iter"

	"go.etcd.io/bbolt"
)

// totalsPerCommit is how many bytes of counters one transaction writes: it holds up the records for as long.
const totalsPerCommit = 1 << 20

// SaveTotals stores the counters of targets, by their keys. It returns when they are committed; a scrape or a probe
// does not call it.
func (s *Store) SaveTotals(all iter.Seq2[string, []byte]) error {
	if s == nil {
		return nil
	}
	var err error
	chunk, size := map[string][]byte{}, 0
	for key, body := range all {
		chunk[key] = body
		if size += len(key) + len(body); size < totalsPerCommit {
			continue
		}
		if err = s.saveTotals(chunk); err != nil {
			return err
		}
		clear(chunk)
		size = 0
	}
	if len(chunk) > 0 {
		err = s.saveTotals(chunk)
	}
	return err
}

func (s *Store) saveTotals(chunk map[string][]byte) error {
	written := appendTime(nil, s.options.now())
	return s.store(func(tx *bbolt.Tx) error {
		for key, body := range chunk {
			if err := tx.Bucket(totals).Put([]byte(key), append(bytes.Clone(written), body...)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Totals are the counters that were stored for a key; nil for none.
func (s *Store) Totals(key string) []byte {
	if s == nil {
		return nil
	}
	var body []byte
	_ = s.view(func(tx *bbolt.Tx) error { // a target whose counters cannot be read begins again
		if value := tx.Bucket(totals).Get([]byte(key)); len(value) >= 8 {
			body = bytes.Clone(value[8:])
		}
		return nil
	})
	return body
}
