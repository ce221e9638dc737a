package prober

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"errno_exporter/prober/result"
)

// How much memory responses may take at once. A probe takes little by itself. What a server sends can make it take
// much: a head of up to maxResponseHead, a body that the module's rules need whole, a decompressor's window. Beyond
// freeRoom bytes each of them needs room, of which there is a fixed amount for all probes together. Waiting for room is
// the exporter's own: it is in no phase, and a deadline that comes meanwhile is local.overloaded.
//
// Nobody waits for the same kind of room twice, and nobody who has room for a body waits for room for a head, so that
// those who wait never wait for each other. A body that exceeds growAtOnce waits for room of another kind, for which
// nobody waits who has it. Who has room for many fields may wait for room for a large head, which
// needs no room for its fields.
const (
	freeRoom   = 64 << 10 // bytes of a head, of a body or of a window that need no room
	freeFields = 200      // of a head
	roomHeads  = 24 << 20
	roomFields = 8 << 20
	roomBodies = 32 << 20
	roomHuge   = 16 << 20            // of bodies larger than growAtOnce
	headRoom   = 3 * maxResponseHead // of one head: as it is read, and as it is kept until the attempt has ended
	fieldsRoom = 256 << 10           // of a head of at most freeRoom bytes: net/http makes a map of its fields
)

// How much memory a head over HTTP/3 may take. quic-go decodes it before its size is known, so that what counts are
// the bytes that arrive before it is there, which may be a small body's.
const (
	freeHTTP3     = 4 << 10
	roomHTTP3Head = 5 * maxHTTP3Head
)

// errNoRoom is the error of a response that the exporter had no memory for in time.
var errNoRoom = errors.New("the deadline came before the exporter had memory for the response: too many large " +
	"responses at once")

// room is an amount of memory that probes share. Probes of targets that are not configured have at most half of it.
type room struct {
	size      int64
	all, rest *semaphore.Weighted
}

func newRoom(size int64) *room {
	return &room{size, semaphore.NewWeighted(size), semaphore.NewWeighted(size / 2)}
}

// enter waits for n bytes, or for all that there is if that is less, until the context ends.
func (r *room) enter(ctx context.Context, n int64) (leave func(), err error) {
	n = min(n, r.size)
	return func() { r.all.Release(n) }, r.all.Acquire(ctx, n)
}

// enterHalf is enter for a target that is not configured.
func (r *room) enterHalf(ctx context.Context, n int64) (leave func(), err error) {
	n = min(n, r.size/2)
	if err := r.rest.Acquire(ctx, n); err != nil {
		return nil, err
	}
	if err := r.all.Acquire(ctx, n); err != nil {
		r.rest.Release(n)
		return nil, err
	}
	return func() { r.all.Release(n); r.rest.Release(n) }, nil
}

// rooms are what an attempt has, and how long it waited for it. net/http reads heads on a goroutine of its own.
type rooms struct {
	mu     sync.Mutex // guards what follows
	head   func()     // leaves the room; nil without it
	fields func()
	body   func()
	huge   func() // beside body
	waited time.Duration
	missed bool // there was no room in time
	over   bool
}

// forHead is called with the size of the head that is under way, and the number of its fields.
func (a *attempt) forHead(size, fields int) error {
	switch {
	case size > freeRoom:
		return a.enter(a.prober.heads, headRoom, &a.rooms.head)
	case fields > freeFields && !a.roomForHead():
		return a.enter(a.prober.fields, fieldsRoom, &a.rooms.fields)
	}
	return nil
}

// roomForHead reports whether the attempt has room for a large head.
func (a *attempt) roomForHead() bool {
	a.rooms.mu.Lock()
	defer a.rooms.mu.Unlock()
	return a.rooms.head != nil
}

// forBody is called with the bytes that the body is going to need.
func (a *attempt) forBody(size int64) error {
	if size <= freeRoom {
		return nil
	}
	return a.enter(a.prober.bodies, size, &a.rooms.body)
}

// enter waits for room that the attempt does not have yet.
func (a *attempt) enter(r *room, n int64, has *func()) error {
	s := &a.rooms
	s.mu.Lock()
	known, missed := *has != nil, s.missed || s.over
	s.mu.Unlock()
	if known {
		return nil
	}
	if missed {
		return errNoRoom
	}
	began := time.Now()
	enter := r.enterHalf
	if a.target.Configured {
		enter = r.enter
	}
	leave, err := enter(a.ctx, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waited += time.Since(began)
	switch {
	case err != nil:
		s.missed = true
		return errNoRoom
	case s.over:
		leave()
		return errNoRoom
	}
	*has = leave
	return nil
}

// waitedForRoom is how long the attempt has waited for memory.
func (a *attempt) waitedForRoom() time.Duration {
	a.rooms.mu.Lock()
	defer a.rooms.mu.Unlock()
	return a.rooms.waited
}

// leaveHead gives the head's room back: the head has been cut.
func (a *attempt) leaveHead() {
	a.rooms.mu.Lock()
	defer a.rooms.mu.Unlock()
	for _, leave := range []*func(){&a.rooms.head, &a.rooms.fields} {
		if *leave != nil {
			(*leave)()
			*leave = nil
		}
	}
}

// leave gives all room back, at the attempt's end.
func (a *attempt) leave() {
	a.leaveHead()
	a.rooms.mu.Lock()
	defer a.rooms.mu.Unlock()
	a.rooms.over = true
	for _, leave := range []*func(){&a.rooms.body, &a.rooms.huge} {
		if *leave != nil {
			(*leave)()
			*leave = nil
		}
	}
}

// noRoom is the failure of an attempt whose response the exporter had no memory for; nil for any other. Nothing is
// known of the target.
func (a *attempt) noRoom() *result.Failure {
	a.rooms.mu.Lock()
	defer a.rooms.mu.Unlock()
	if !a.rooms.missed {
		return nil
	}
	if errors.Is(context.Cause(a.ctx), context.Canceled) {
		return &result.Failure{Reason: result.Abandoned, Origin: result.Self, Err: errNoRoom}
	}
	return &result.Failure{Reason: result.LocalOverloaded, Origin: result.Local, Err: errNoRoom}
}

// waitedIn is how long the hop has waited for memory in a phase that has ended.
func (h *hop) waitedIn(p result.Phase) time.Duration {
	if p != result.Proxy && p != result.Transfer {
		return 0
	}
	all := h.attempt.waitedForRoom()
	waited := all - h.waited
	h.waited = all
	h.Waited += waited
	return waited
}

// roomyHead asks for room for a head that is read through it.
type roomyHead struct {
	*headReader
	attempt *attempt
	read    int
}

func (r *roomyHead) Read(p []byte) (int, error) {
	n, err := r.headReader.Read(p)
	r.read += n
	if short := r.attempt.forHead(r.read, r.lines.lines); short != nil {
		return 0, short
	}
	return n, err
}

// forWindow asks for room for brotli's window, which the stream's first byte announces, together with the body's.
func (h *hop) forWindow(first byte) error {
	window := int64(1) << windowBits(first)
	if window <= freeRoom {
		return nil
	}
	return h.attempt.forBody(window + min(h.bodyRoom(), growAtOnce))
}

// windowBits is the size of brotli's window as the first byte of a stream gives it (RFC 7932 section 9.1), as a power
// of two.
func windowBits(first byte) int {
	switch {
	case first&1 == 0:
		return 16
	case first>>1&7 != 0:
		return 17 + int(first>>1&7)
	case first>>4&7 > 1:
		return 8 + int(first>>4&7)
	}
	return 17
}
