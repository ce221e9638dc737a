package revocation

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"sync"
	"time"
)

// When a list is fetched again: an hour after it was fetched, or when it is to be replaced, whichever is sooner. Where
// that fails the list that is there stays in use until it is to be replaced.
const (
	refresh = time.Hour
	retry   = time.Minute // after a failure, so that an address which does not answer delays one probe a minute
)

// What bounds the lists that are kept.
const (
	MaxLists = 256
	MaxBytes = 32 << 20
)

// Store keeps lists. It may be used by many goroutines.
type Store struct {
	mu    sync.Mutex // guards what follows
	known map[Key]*entry
	bytes int
	uses  int64
}

// Key names a list: where it is, and whose signature it must have.
type Key struct {
	address string
	issuer  [sha256.Size]byte
}

// KeyOf is the key of the list at an address for the certificates of an issuer.
func KeyOf(address string, issuer *x509.Certificate) Key {
	return Key{address, sha256.Sum256(issuer.Raw)}
}

type entry struct {
	turn chan struct{} // has room for the one who fetches, and who alone uses what follows
	list *List         // nil: it could not be had
	err  error
	next time.Time // when it is fetched again

	used, size int64 // guarded by the store's mu
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{known: map[Key]*entry{}} }

// Get returns a list: the one that is kept, or the one that fetch returns. One goroutine at a time fetches a list, and
// the others wait for it until their contexts end.
func (s *Store) Get(ctx context.Context, key Key, fetch func(context.Context) (*List, error)) (*List, error) {
	e := s.entry(key)
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := time.Now()
	if now.Before(e.next) {
		return e.list, e.err
	}
	list, err := fetch(ctx)
	now = time.Now()
	e.next = now.Add(retry)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled): // of a probe that nobody waits for
		e.next = time.Time{}
		return nil, err
	case err == nil:
		e.list, e.err = list, nil
		if until := now.Add(refresh); list.NextUpdate.IsZero() || until.Before(list.NextUpdate) {
			e.next = until
		} else if list.NextUpdate.After(e.next) {
			e.next = list.NextUpdate
		}
	case e.list == nil || e.list.Stale(now):
		e.list, e.err = nil, err
	}
	s.charge(key, e)
	return e.list, e.err
}

// entry is the one of a key, which it makes if there is none.
func (s *Store) entry(key Key) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.known[key]
	if e == nil {
		e = &entry{turn: make(chan struct{}, 1), size: perList}
		s.known[key] = e
		s.bytes += perList
	}
	s.uses++
	e.used = s.uses
	s.shrink(e)
	return e
}

// charge accounts what an entry takes now. Its turn is the caller's.
func (s *Store) charge(key Key, e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[key] != e {
		return // it was dropped meanwhile
	}
	size := perList
	if e.list != nil {
		size += e.list.size()
	}
	s.bytes += size - int(e.size)
	e.size = int64(size)
	s.shrink(e)
}

// shrink drops the lists that were used least recently, but not one. The caller holds mu.
func (s *Store) shrink(keep *entry) {
	for len(s.known) > MaxLists || s.bytes > MaxBytes && len(s.known) > 1 {
		var oldest Key
		var found *entry
		for key, e := range s.known {
			if e != keep && (found == nil || e.used < found.used) {
				oldest, found = key, e
			}
		}
		delete(s.known, oldest)
		s.bytes -= int(found.size)
	}
}

// Size is about how many bytes of memory the lists take.
func (s *Store) Size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}
