package store

import (
	"bytes"
	"errors"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"errno_exporter/guard"
)

// retryInterval is the time until a commit that failed is tried again, in commit intervals.
const retryInterval = 5

// pruneInterval is the time between two looks for what is too old.
const pruneInterval = time.Minute

// run commits what is put, until the store is closed.
func (s *Store) run() {
	defer close(s.done)
	defer s.closeFile()
	prune := time.NewTicker(pruneInterval)
	defer prune.Stop()
	s.prune()
	for {
		select {
		case <-s.closing:
			s.queue.close()
			_ = s.commit() // it is logged
			return
		case answer := <-s.flushes:
			answer <- s.commit()
		case <-prune.C:
			s.prune()
		case <-s.queue.more:
			s.collect()
		}
	}
}

// collect waits for more to commit at once, and commits.
func (s *Store) collect() {
	wait := s.options.every
	if s.broken.Load() {
		wait *= retryInterval
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		_ = s.commit() // it is logged
	case answer := <-s.flushes:
		answer <- s.commit()
	case <-s.closing: // which commits
	}
}

// closeFile closes the file. Nothing is written from then on.
func (s *Store) closeFile() {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := guard.Try(func() { _ = s.db.Close() }); err != nil {
		s.options.Logger.Error("Closing storage", "path", s.path, "err", err)
	}
}

// Flush commits what was put.
func (s *Store) Flush() error {
	if s == nil {
		return nil
	}
	answer := make(chan error, 1)
	select {
	case s.flushes <- answer:
		return <-answer
	case <-s.done:
		return errors.New("storage is closed")
	}
}

// commit writes what waits. Where that fails, it waits on.
func (s *Store) commit() error {
	taken := s.queue.take()
	if taken.len() == 0 {
		s.queue.wrote(nil)
		return nil
	}
	err := s.write(&taken)
	s.queue.wrote(err)
	if err != nil {
		s.queue.wake()
		return err
	}
	s.makeRoom()
	return nil
}

// forcedPrunes is how often a transaction removes the oldest to find its pages.
const forcedPrunes = 64

// store runs a transaction that writes what was put.
func (s *Store) store(f func(tx *bbolt.Tx) error) error {
	err := s.update(s.writeLimit(), f)
	for n := 0; n < forcedPrunes && errors.Is(err, bolterrors.ErrMaxSizeReached) && s.removes(removeOldest); n++ {
		err = s.update(s.writeLimit(), f) // free pages are there, but no run of them that was long enough
	}
	s.report(err)
	return err
}

// report logs when writing begins to fail, and when it works again.
func (s *Store) report(err error) {
	switch {
	case err != nil && !s.broken.Swap(true):
		s.options.Logger.Error("Writing to storage fails, new records and incidents stay in memory as far as they fit",
			"path", s.path, "err", refuse(s.path, err))
	case err == nil && s.broken.Swap(false):
		s.options.Logger.Info("Writing to storage works again", "path", s.path, "dropped", s.queue.lost())
	}
}

// write commits a batch.
func (s *Store) write(b *batch) error {
	written := s.options.now()
	return s.store(func(tx *bbolt.Tx) error {
		c, err := readCounts(tx)
		if err != nil {
			return err
		}
		for id := range b.records {
			if err := s.putRecord(tx, &c, b.records[id]); err != nil {
				return err
			}
		}
		for id, i := range b.incidents {
			value := s.codec.encodeIncident(&i, written)
			if tx.Bucket(incidents).Get(id[:]) == nil {
				c.incidents++
			}
			if err := put(tx, incidents, id[:], value); err != nil {
				return err
			}
			if err := put(tx, incidentsByTarget, indexKey(i.Target, id), nil); err != nil {
				return err
			}
		}
		return noteCounts(tx, c)
	})
}

func (s *Store) putRecord(tx *bbolt.Tx, c *counts, r Record) error {
	into, other := records, firsts
	if r.First {
		into, other = firsts, records
	}
	if tx.Bucket(other).Get(r.ID[:]) == nil && tx.Bucket(into).Get(r.ID[:]) == nil {
		c.records++
	}
	err := errors.Join(
		tx.Bucket(other).Delete(r.ID[:]),
		put(tx, into, r.ID[:], s.codec.encodeRecord(&r)),
		put(tx, recordsByTarget, indexKey(r.Target, r.ID), nil))
	if r.Incident != (ID{}) {
		err = errors.Join(err, put(tx, recordsByIncident, append(r.Incident[:], r.ID[:]...), nil))
	}
	return err
}

// put puts a value where another one is stored.
func put(tx *bbolt.Tx, bucket, key, value []byte) error {
	b := tx.Bucket(bucket)
	if before := b.Get(key); before != nil && bytes.Equal(before, value) {
		return nil
	}
	return b.Put(key, value)
}
