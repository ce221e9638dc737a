// Package schedule says when a probe starts, and who shares it: slots and file descriptors (slots.go),
// pacing (pace.go), probes that several callers share (group.go), and how late the exporter itself is (lag.go). It
// knows nothing of what it schedules.
package schedule

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"errno_exporter/prober/module"
)

// User says for whom a probe is.
type User int

// The users, those that come first first.
const (
	Configured User = iota // a configured target
	AdHoc                  // a target of /probe that is not configured
)

// users is how many there are.
const users = 2

// Need is what a probe takes of something while it is under way.
type Need struct {
	N  int
	By User
}

// Slots bounds something that probes take while they run: further ones wait in the order in which they came, those of
// configured targets before all others. A part is reserved for configured targets. The bounds may change at any time.
type Slots struct {
	mu       sync.Mutex // guards what follows
	limit    int
	reserved int
	used     [users]int
	waiting  [users][]*turn
}

// turn is the wait of one probe.
type turn struct {
	Need
	has chan struct{} // closed when it has its slots
}

// NewSlots returns slots with a limit, of which nothing is reserved.
func NewSlots(limit int) *Slots { return &Slots{limit: limit} }

// Acquire waits for slots, no longer than until, and reports whether it has them: not when the context ends first, or
// has. Who wants more than there are takes them all.
func (s *Slots) Acquire(ctx context.Context, until time.Time, want Need) bool {
	s.mu.Lock()
	if ctx.Err() != nil {
		s.mu.Unlock()
		return false
	}
	if s.free(want) {
		s.used[want.By] += want.N
		s.mu.Unlock()
		return true
	}
	t := &turn{want, make(chan struct{})}
	s.waiting[want.By] = append(s.waiting[want.By], t)
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

// free reports whether slots may be taken at once: nobody waits who comes first. The caller holds mu.
func (s *Slots) free(want Need) bool {
	for by := range want.By + 1 {
		if len(s.waiting[by]) > 0 {
			return false
		}
	}
	return s.fits(want)
}

// fits reports whether slots may be taken. The caller holds mu.
func (s *Slots) fits(want Need) bool {
	if s.limit <= 0 || s.used[Configured]+s.used[AdHoc]+min(want.N, s.limit) > s.limit {
		return false
	}
	room := max(1, s.limit-s.reserved)
	return want.By == Configured || s.used[AdHoc]+min(want.N, room) <= room
}

// leave ends a wait. Slots that came in the meantime are given back.
func (s *Slots) leave(t *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting[t.By], t); i >= 0 {
		s.waiting[t.By] = slices.Delete(s.waiting[t.By], i, i+1)
	} else {
		s.used[t.By] -= t.N
	}
	s.serve() // those behind it may want less
}

// Release gives slots back.
func (s *Slots) Release(has Need) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[has.By] -= has.N
	s.serve()
}

// Resize changes the bounds. Of the limit at most a half is reserved.
func (s *Slots) Resize(limit, reserved int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit, s.reserved = limit, min(reserved, limit/2)
	s.serve()
}

// serve gives free slots to those who wait: to others only when no configured target waits. The caller holds mu.
func (s *Slots) serve() {
	for by := range s.waiting {
		for len(s.waiting[by]) > 0 {
			first := s.waiting[by][0]
			if !s.fits(first.Need) {
				return
			}
			s.used[by] += first.N
			close(first.has)
			s.waiting[by] = s.waiting[by][1:]
		}
	}
}

// Size is the limit.
func (s *Slots) Size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit
}

// Taken is how many are in use.
func (s *Slots) Taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used[Configured] + s.used[AdHoc]
}

// How file descriptors are shared out: a probe that runs out of them (EMFILE) would tell of us and not of its target,
// so it waits until there are enough.
//
//   - A quarter of those that the process may have is for clients' connections, an eighth for everything else: files,
//     the runtime.
//   - Of the rest, each idle connection has one, and each probe under way what it may need at once. As much of it as
//     the configured targets need, at most a half, is not for the targets of /probe that are not configured.

// maxConnections bounds the clients' connections where file descriptors do not.
const maxConnections = 4096

// Connections is how many clients may be connected at once, of a process that may have so many file descriptors; 0 for
// no bound.
func Connections(limit int) int {
	if limit <= 0 {
		return maxConnections
	}
	return max(4, min(limit/4, maxConnections))
}

// Descriptors is how many file descriptors probes may have together, of a process that may have so many (0 for no
// bound) and keeps so many connections idle.
func Descriptors(limit, idle int) int {
	if limit <= 0 {
		return math.MaxInt / 2
	}
	return max(1, limit-limit/4-limit/8-idle)
}

// DescriptorsOf is how many file descriptors a probe may need at once: its questions for A and AAAA side by side, or a
// connection and the copy by which it is watched while it is made.
func DescriptorsOf(m *module.Module) int {
	n := 2
	if m.AllAddresses {
		n = 2 * module.MaxAddresses
	}
	if m.Resolver != nil && m.Resolver.CompareSystem {
		n += 2
	}
	return n
}
