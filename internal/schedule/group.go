package schedule

import (
	"slices"
	"sync"
	"time"
)

// How a probe is shared. Every caller gets at least the time that a probe of its own would have had.
//
//   - A caller joins a probe in flight that was given as much time as the caller has, and that ends before the caller's
//     deadline. Where there is none it starts another one beside it, so that neither waits for, or is cut off by, the
//     deadline of the other.
//   - A recent outcome is passed on to a later caller unless it is a failure of a probe that had less time than the
//     caller has, or the exporter itself caused it.
//   - The number of a target's probes in flight is bounded: with as many, a caller takes the one that suits it best.

// MaxInFlight bounds a target's probes in flight. Scrapers with one timeout share one; this is for those who vary it on
// purpose.
const MaxInFlight = 16

// InFlight is one probe of a target with outcomes O, shared by every caller that wants one while it is in flight. It
// belongs to none of them: a caller that is cancelled leaves it to the others.
type InFlight[O any] struct {
	Until   time.Time     // the deadline, of the caller that started it
	Allowed time.Duration // the longest that the probe may take
	Via     string        // on whose behalf the caller is that started it
	Ended   chan struct{} // closed when it has ended

	outcome O         // when it has ended
	waiting int       // callers; guarded by the group's mu
	ends    time.Time // at the latest; guarded by the group's mu
}

// Outcome is what came of the probe: the zero value while it has not ended, and if it could not be started.
func (f *InFlight[O]) Outcome() O {
	select {
	case <-f.Ended:
		return f.outcome
	default:
		var none O
		return none
	}
}

// Claim is what a caller wants of a shared probe.
type Claim struct {
	Now, Until time.Time
	Allowed    time.Duration // that a probe of its own could take
	Slack      time.Duration // by how much a shared one may miss that: less than the caller keeps back for its answer
	Recent     time.Duration // for which an outcome is good enough, from the probe's start
	Via        string
}

// suits reports whether a probe that may take so long has the time that the caller's own would have.
func (c *Claim) suits(allowed time.Duration) bool { return allowed+c.Slack >= c.Allowed }

// Audience is to whom a recent outcome is passed on.
type Audience int

// The audiences.
const (
	Anyone       Audience = iota
	WithSameTime          // callers that have at most the time of the probe: it failed, and with more might have succeeded
	NoOne
)

// Recent is an outcome that may be passed on to later callers.
type Recent[O any] struct {
	Outcome func() O      // makes it from what is kept of it
	Start   time.Time     // of the probe
	Allowed time.Duration // that it might have taken
	For     Audience
}

// answers reports whether the outcome is one that the caller's own probe could have had.
func (r *Recent[O]) answers(c *Claim) bool {
	if c.Now.Sub(r.Start) >= c.Recent {
		return false
	}
	return r.For == Anyone || r.For == WithSameTime && c.suits(r.Allowed)
}

// Group is the probes of one target. The zero value is ready. It may be used by many goroutines.
type Group[O any] struct {
	mu       sync.Mutex // guards what follows
	inFlight []*InFlight[O]
	recent   []Recent[O]
}

// Join returns a probe that satisfies the claim, and whether it is the caller's to start. A recent outcome is a probe
// that has ended.
func (g *Group[O]) Join(c Claim) (f *InFlight[O], fresh bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.shared(&c); f != nil {
		f.waiting++
		return f, false
	}
	for i := range g.recent {
		if g.recent[i].answers(&c) {
			ended := make(chan struct{})
			close(ended)
			return &InFlight[O]{Ended: ended, outcome: g.recent[i].Outcome()}, false
		}
	}
	f = &InFlight[O]{Until: c.Until, ends: c.Until, Allowed: c.Allowed, Via: c.Via, Ended: make(chan struct{}),
		waiting: 1}
	g.inFlight = append(g.inFlight, f)
	return f, true
}

// shared finds a probe in flight for the caller; nil if it needs its own. The caller holds mu.
func (g *Group[O]) shared(c *Claim) *InFlight[O] {
	// a caller that waited for mu is as late with all that follows
	latest := time.Now().Add(c.Until.Sub(c.Now) + c.Slack)
	var best *InFlight[O]
	for _, f := range g.inFlight {
		if f.ends.After(latest) {
			continue
		}
		if c.suits(f.Allowed) {
			return f
		}
		if best == nil || f.Allowed > best.Allowed {
			best = f
		}
	}
	if len(g.inFlight) < MaxInFlight {
		return nil
	}
	if best != nil {
		return best
	}
	return slices.MinFunc(g.inFlight, func(a, b *InFlight[O]) int { return a.ends.Compare(b.ends) })
}

// Started notes that a probe has started: from now on it is known when it ends, by its module's timeout; 0 is none.
func (g *Group[O]) Started(f *InFlight[O], timeout time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if timeout > 0 {
		if ends := time.Now().Add(timeout); ends.Before(f.ends) {
			f.ends = ends
		}
	}
}

// Leave ends a caller's wait for a probe.
func (g *Group[O]) Leave(f *InFlight[O]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.waiting--
}

// Abandon ends a probe that has not started if nobody waits for it, and reports whether it did.
func (g *Group[O]) Abandon(f *InFlight[O]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.waiting > 0 {
		return false
	}
	g.end(f)
	return true
}

// End ends a probe without an outcome, unless it has ended.
func (g *Group[O]) End(f *InFlight[O]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.Contains(g.inFlight, f) {
		g.end(f)
	}
}

// Forget makes recent outcomes be passed on no longer.
func (g *Group[O]) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.recent = nil
}

// EndWith ends a probe with its outcome, unless it has ended, and replaces what may be passed on to later callers.
func (g *Group[O]) EndWith(f *InFlight[O], outcome O, recent []Recent[O]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.Contains(g.inFlight, f) {
		f.outcome, g.recent = outcome, recent
		g.end(f)
	}
}

// end takes a probe from those in flight. The caller holds mu.
func (g *Group[O]) end(f *InFlight[O]) {
	if i := slices.Index(g.inFlight, f); i >= 0 {
		g.inFlight = slices.Delete(g.inFlight, i, i+1)
	}
	close(f.Ended)
}

// InFlight returns the probes in flight.
func (g *Group[O]) InFlight() []*InFlight[O] {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.inFlight)
}
