package watch

import (
	"context"
	"slices"
	"sync"
	"time"
)

// user says for whom a probe is.
type user int

const (
	configured user = iota // a configured target
	adHoc                  // a target of /probe that is not configured
)

// users is how many there are.
const users = 2

// need is what a probe takes of something while it is under way.
type need struct {
	n  int
	by user
}

// slots bounds something that probes take while they are under way: further ones wait in the order in which they came, those of configured targets
// before all others. A part is reserved for configured targets. The bounds may change at any time.
type slots struct {
	mu       sync.Mutex // guards what follows
	limit    int
	reserved int
	used     [users]int
	waiting  [users][]*turn
}

// turn is somebody's wait.
type turn struct {
	need
	has chan struct{} // closed when it has its slots
}

func newSlots(limit int) *slots { return &slots{limit: limit} }

// acquire waits for slots, no longer than until, and reports whether it has them: not when the context ends first, or has. Who wants more than
// there are takes them all.
func (s *slots) acquire(ctx context.Context, until time.Time, want need) bool {
	s.mu.Lock()
	if ctx.Err() != nil {
		s.mu.Unlock()
		return false
	}
	t := &turn{want, make(chan struct{})}
	s.waiting[want.by] = append(s.waiting[want.by], t)
	s.serve()
	s.mu.Unlock()
	select {
	case <-t.has:
		return true
	default:
	}
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

// fits reports whether slots may be taken. The caller holds mu.
func (s *slots) fits(want need) bool {
	if s.limit <= 0 || s.used[configured]+s.used[adHoc]+min(want.n, s.limit) > s.limit {
		return false
	}
	room := max(1, s.limit-s.reserved)
	return want.by == configured || s.used[adHoc]+min(want.n, room) <= room
}

// leave ends a wait. Slots that came in the meantime are given back.
func (s *slots) leave(t *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting[t.by], t); i >= 0 {
		s.waiting[t.by] = slices.Delete(s.waiting[t.by], i, i+1)
	} else {
		s.used[t.by] -= t.n
	}
	s.serve() // who stood behind may want less
}

func (s *slots) release(has need) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[has.by] -= has.n
	s.serve()
}

// resize changes the bounds. Of the limit at most a half is reserved.
func (s *slots) resize(limit, reserved int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit, s.reserved = limit, min(reserved, limit/2)
	s.serve()
}

// serve gives free slots to those who wait: to others only when no configured target waits. The caller holds mu.
func (s *slots) serve() {
	for by := range s.waiting {
		for len(s.waiting[by]) > 0 {
			first := s.waiting[by][0]
			if !s.fits(first.need) {
				return
			}
			s.used[by] += first.n
			close(first.has)
			s.waiting[by] = s.waiting[by][1:]
		}
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
	return s.used[configured] + s.used[adHoc]
}
