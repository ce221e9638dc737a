package watch

import (
	"context"
	"slices"
	"sync"
	"time"
)

// slots bounds something that probes take while they are under way: further ones wait in the order in which they came. The bound may change at
// any time.
type slots struct {
	mu      sync.Mutex // guards what follows
	limit   int
	used    int
	waiting []*turn
}

// turn is somebody's wait.
type turn struct {
	wants int
	has   chan struct{} // closed when it has its slots
}

func newSlots(limit int) *slots { return &slots{limit: limit} }

// acquire waits for n slots, no longer than until, and reports whether it has them: not when the context ends first, or has. Who wants more than
// there are takes them all.
func (s *slots) acquire(ctx context.Context, until time.Time, n int) bool {
	s.mu.Lock()
	if ctx.Err() != nil {
		s.mu.Unlock()
		return false
	}
	if len(s.waiting) == 0 && s.fits(n) {
		s.used += n
		s.mu.Unlock()
		return true
	}
	t := &turn{n, make(chan struct{})}
	s.waiting = append(s.waiting, t)
	s.mu.Unlock()
	patience := time.NewTimer(time.Until(until))
	defer patience.Stop()
	select {
	case <-t.has:
		return true
	case <-patience.C:
	case <-ctx.Done():
	}
	s.leave(t)
	return false
}

// fits reports whether n slots may be taken. The caller holds mu.
func (s *slots) fits(n int) bool { return s.limit > 0 && s.used+min(n, s.limit) <= s.limit }

// leave ends a wait. Slots that came in the meantime are given back.
func (s *slots) leave(t *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, t); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		if i == 0 {
			s.serve() // who stood behind may want less
		}
		return
	}
	s.used -= t.wants
	s.serve()
}

func (s *slots) release(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
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
	for len(s.waiting) > 0 && s.fits(s.waiting[0].wants) {
		s.used += s.waiting[0].wants
		close(s.waiting[0].has)
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
