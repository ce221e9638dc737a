package store

import (
	"bytes"
	"iter"

	"go.etcd.io/bbolt"
)

// totalsPerCommit is how many bytes of counters one transaction writes: it holds up the records for as long.
const totalsPerCommit = 1 << 20

// SaveTotals stores the counters of targets, by their keys. It returns when they are committed; a scrape or a probe
// does not call it. A value may be used again when the next one is asked for.
func (s *Store) SaveTotals(all iter.Seq2[string, []byte]) error {
	if s == nil {
		return nil
	}
	var err error
	c := chunk{written: appendTime(nil, s.options.now())}
	for key, body := range all {
		c.add(key, body)
		if len(c.bytes) < totalsPerCommit {
			continue
		}
		if err = s.store(c.put); err != nil {
			return err
		}
		c.keys, c.ends, c.bytes = c.keys[:0], c.ends[:0], c.bytes[:0]
	}
	if len(c.keys) > 0 {
		err = s.store(c.put)
	}
	return err
}

// chunk is what one transaction writes of counters: values one after another, in memory that is used again.
type chunk struct {
	written []byte
	keys    []string
	ends    []int // of the values
	bytes   []byte
}

func (c *chunk) add(key string, body []byte) {
	c.bytes = append(append(c.bytes, c.written...), body...)
	c.keys, c.ends = append(c.keys, key), append(c.ends, len(c.bytes))
}

func (c *chunk) put(tx *bbolt.Tx) error {
	from := 0
	for n, key := range c.keys {
		if err := tx.Bucket(totals).Put([]byte(key), c.bytes[from:c.ends[n]]); err != nil {
			return err
		}
		from = c.ends[n]
	}
	return nil
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
