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
	prune, minor := time.NewTicker(pruneInterval), time.NewTicker(s.options.minor)
	defer prune.Stop()
	defer minor.Stop()
	s.prune()
	for {
		select {
		case <-s.closing:
			s.queue.close()
			_ = s.commitAll() // it is logged
			return
		case answer := <-s.flushes:
			answer <- s.commitAll()
		case <-minor.C:
			s.queue.hurry()
		case <-prune.C:
			s.prune()
		case <-s.queue.more:
			s.collect()
		}
	}
}

// collect waits for more to commit at once, and commits.
func (s *Store) collect() {
	wait, crowd := s.options.Every, s.queue.crowd
	if s.broken.Load() {
		wait, crowd = wait*retryInterval, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		_ = s.commit() // it is logged
	case <-crowd:
		_ = s.commit() // as above
	case answer := <-s.flushes:
		answer <- s.commitAll()
	case <-s.closing: // which commits
	}
}

// closeFile closes the file. Nothing is written from then on.
func (s *Store) closeFile() {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.stuck.Load() {
		return // it would wait for ever
	}
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

// commitAll commits what waits, minor changes with it.
func (s *Store) commitAll() error {
	s.queue.hurry()
	return s.commit()
}

// commit writes what waits. Where that fails, it waits on.
func (s *Store) commit() error {
	taken := s.queue.take()
	if len(taken) == 0 {
		return nil
	}
	coded := s.code(taken)
	s.queue.made(coded)
	err := s.write(coded)
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

// write commits values that were made.
func (s *Store) write(all map[key]entry) error {
	return s.store(func(tx *bbolt.Tx) error {
		c, err := readCounts(tx)
		if err != nil {
			return err
		}
		for _, e := range all {
			if err := e.value.store(tx, &c, e.coded); err != nil {
				return err
			}
		}
		return noteCounts(tx, c)
	})
}

// put puts a value where another one is stored.
func put(tx *bbolt.Tx, bucket, key, value []byte) error {
	b := tx.Bucket(bucket)
	if before := b.Get(key); before != nil && bytes.Equal(before, value) {
		return nil
	}
	return b.Put(key, value)
}
