package watch

import (
	"context"
	"slices"
	"sync"
	"time"
)

// slots bounds the probes under way; further ones wait in the order in which they came. The bound may change at any time.
type slots struct {
	mu      sync.Mutex // guards what follows
	limit   int
	used    int
	waiting []chan struct{} // each is closed when it has its slot
}

func newSlots(limit int) *slots { return &slots{limit: limit} }

// acquire waits for a slot, no longer than until, and reports whether it has one: not when the context ends first, or has.
func (s *slots) acquire(ctx context.Context, until time.Time) bool {
	s.mu.Lock()
	if ctx.Err() != nil {
		s.mu.Unlock()
		return false
	}
	if s.used < s.limit {
		s.used++
		s.mu.Unlock()
		return true
	}
	turn := make(chan struct{})
	s.waiting = append(s.waiting, turn)
	s.mu.Unlock()
	patience := time.NewTimer(time.Until(until))
	defer patience.Stop()
	select {
	case <-turn:
		return true
	case <-patience.C:
	case <-ctx.Done():
	}
	s.leave(turn)
	return false
}

// leave ends a wait. A slot that came in the meantime is given back.
func (s *slots) leave(turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, turn); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		return
	}
	s.used--
	s.serve()
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	s.serve()
}

func (s *slots) resize(limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = limit
	s.serve()
}

// serve gives free slots to those who wait. The caller holds mu.
func (s *slots) serve() {
	for s.used < s.limit && len(s.waiting) > 0 {
		s.used++
		close(s.waiting[0])
		s.waiting = s.waiting[1:]
	}
}

func (s *slots) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit
}

func (s *slots) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}
