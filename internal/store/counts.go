package store

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// counts is how much is stored. It is written with what it counts.
type counts struct{ records, incidents uint64 }

func readCounts(tx *bbolt.Tx) (counts, error) {
	value := tx.Bucket(about).Get(countsKey)
	if value == nil {
		return counts{}, nil
	}
	if len(value) != 16 {
		return counts{}, errDamaged
	}
	return counts{binary.BigEndian.Uint64(value), binary.BigEndian.Uint64(value[8:])}, nil
}

// Stats are what metrics report of a store.
type Stats struct {
	Up                              bool  // the last commit succeeded
	FileBytes, UsedBytes            int64 // of the file; the pages of it that hold something
	Records, Incidents              uint64
	Writes, Errors, Dropped, Pruned uint64    // transactions; failed ones; puts without room in memory; removed values
	Oldest                          time.Time // of records and incidents; zero for none
	LastWrite                       time.Duration
}

// counted is what is known without a look at the file.
type counted struct {
	mu    sync.Mutex // guards stats
	stats Stats
}

// wrote notes the end of a transaction.
func (c *counted) wrote(err error, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, bolterrors.ErrMaxSizeReached) { // room is made for it
		return
	}
	c.stats.Up, c.stats.LastWrite = err == nil, took
	if err != nil {
		c.stats.Errors++
		return
	}
	c.stats.Writes++
}

// Stats are the store's figures.
func (s *Store) Stats() Stats {
	if s == nil {
		return Stats{}
	}
	s.counted.mu.Lock()
	defer s.counted.mu.Unlock()
	stats := s.counted.stats
	stats.Dropped = s.queue.lost()
	return stats
}

// lost is how much was dropped.
func (q *queue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// noteCounts stores what is stored.
func noteCounts(tx *bbolt.Tx, c counts) error {
	value := binary.BigEndian.AppendUint64(nil, c.records)
	return put(tx, about, countsKey, binary.BigEndian.AppendUint64(value, c.incidents))
}

// measure reads how much is stored, and how much of the file it takes.
func (s *Store) measure() error {
	return s.view(func(tx *bbolt.Tx) error {
		c, err := readCounts(tx)
		if err != nil {
			return err
		}
		free := s.db.Stats()
		oldest := oldestIn(tx)
		s.counted.mu.Lock()
		defer s.counted.mu.Unlock()
		stats := &s.counted.stats
		stats.Up = stats.Up || stats.Writes+stats.Errors == 0
		stats.Records, stats.Incidents, stats.Oldest = c.records, c.incidents, oldest
		stats.FileBytes = s.fileBytes()
		stats.UsedBytes = tx.Size() - int64(free.FreePageN+free.PendingPageN)*int64(s.db.Info().PageSize)
		return nil
	})
}

// oldestIn is the time of the oldest record or incident; zero for none.
func oldestIn(tx *bbolt.Tx) time.Time {
	var oldest time.Time
	for _, bucket := range [][]byte{records, firsts, incidents} {
		key, _ := tx.Bucket(bucket).Cursor().First()
		if len(key) != len(ID{}) {
			continue
		}
		if at := time.UnixMilli(ID(key).millis()); oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}

// fileBytes is the length of the file.
func (s *Store) fileBytes() int64 {
	info, err := os.Stat(s.path)
	if err != nil {
		return 0
	}
	return info.Size()
}
