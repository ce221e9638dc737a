package target

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"errno_exporter/guard"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How connections are kept.
//
//   - A target whose module has keepalive keeps one connection for each configured age. It is made after a probe that
//     succeeded, by a request of its own, so that nothing is taken from the probe.
//   - At the first scrape at which it has been idle that long, or has ended, it is used again, or its end is told,
//     beside the probe over a fresh connection. If it serves the request it is kept on.
//   - A server that announces that it keeps idle connections for less time (Keep-Alive: timeout=) is believed: none is
//     kept for longer. It is asked again now and then: what it announces changes with the server, and with who answers
//     behind its name.

// MaxIdle bounds the connections that are kept idle at once, of all targets.
const MaxIdle = 1000

// perSlot is what the place of a connection takes in memory, in bytes, without what it points to.
const perSlot = 48

// keepTimeout bounds a request on a connection that is kept, where the module's timeout does not.
const keepTimeout = 10 * time.Second

// askAgain is how long a server's announcement counts that it keeps connections for less than one is wanted.
const askAgain = time.Minute

// IdlePool holds a target's idle connections.
type IdlePool struct {
	panicked guard.Report // is called with panics; may be nil
	module   *module.Module
	target   prober.Target
	totals   *state.Totals
	all      *atomic.Int64 // idle connections, of all pools

	mu        sync.Mutex // guards what follows
	slots     []keptSlot
	announced time.Duration // as Prober.Keep says it
	asked     time.Time     // when announced was learned; zero before
	closed    bool
}

// keptSlot is the connection of one age.
type keptSlot struct {
	age  time.Duration
	kept *prober.Kept // nil while there is none, and while it is in use
	busy bool
	last *result.KeptResult // nil before the first
}

// NewIdlePool returns the pool of a target. All pools together count their connections in all; panics are reported.
func NewIdlePool(t *Target, all *atomic.Int64, panicked guard.Report) *IdlePool {
	k := &IdlePool{module: t.Config.Module, target: t.Probed(), totals: t.Totals, all: all, panicked: panicked}
	for _, age := range k.module.Keepalive {
		k.slots = append(k.slots, keptSlot{age: age})
	}
	return k
}

// Use uses the connections that are due, side by side. The channel is closed when all have been used. Each has the
// module's time for it, however little the scrape has: a scrape with a short timeout is not to kill a connection that
// works.
func (k *IdlePool) Use(life context.Context) <-chan struct{} {
	done := make(chan struct{})
	var using guard.Group
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.slots {
		s := &k.slots[i]
		if s.kept == nil {
			continue
		}
		if idle, stands := s.kept.Idle(); stands && idle < s.age {
			continue
		}
		kept := s.kept
		s.kept, s.busy = nil, true
		using.Go(func() { k.useOne(life, s, kept) })
	}
	k.panicked.Go(func() { defer close(done); using.Wait() })
	return done
}

// useOne uses a connection. After a panic it is not used again.
func (k *IdlePool) useOne(life context.Context, s *keptSlot, kept *prober.Kept) {
	var r result.KeptResult
	p := guard.Try(func() {
		ctx, cancel := context.WithTimeout(life, k.timeout())
		defer cancel()
		r = kept.Probe(ctx)
	})
	if p == nil {
		k.used(s, kept, &r)
		return
	}
	k.panicked.Tell(p)
	k.panicked.Run(kept.Close)
	k.mu.Lock()
	defer k.mu.Unlock()
	s.busy, s.last = false, &result.KeptResult{Failure: &result.Failure{Phase: result.Idle, Reason: result.Unknown,
		Origin: result.Self, Err: p}}
	k.all.Add(-1)
	k.totals.ObserveIdle(s.age, s.last)
}

// timeout is how long a request on a connection that is kept may take.
func (k *IdlePool) timeout() time.Duration {
	if k.module.Timeout > 0 {
		return min(k.module.Timeout, keepTimeout)
	}
	return keepTimeout
}

// used notes what became of a connection.
func (k *IdlePool) used(s *keptSlot, kept *prober.Kept, r *result.KeptResult) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s.busy = false
	if r.Failure == nil || r.Failure.Reason != result.Abandoned {
		s.last = r.Summary()
		k.totals.ObserveIdle(s.age, r)
	}
	if k.closed || !kept.Kept() {
		k.all.Add(-1)
		kept.Close()
		return
	}
	s.kept = kept
}

// Fill makes the connections that are missing, after a probe that succeeded.
func (k *IdlePool) Fill(life context.Context, p *prober.Prober) {
	for i := range k.slots {
		s := &k.slots[i]
		if !k.wants(s) {
			continue
		}
		var kept *prober.Kept
		var announced time.Duration
		k.panicked.Run(func() {
			ctx, cancel := context.WithTimeout(life, k.timeout())
			defer cancel()
			kept, announced = p.Keep(ctx, k.target, k.module)
		})
		k.filled(s, kept, announced) // also after a panic: the age is tried again
	}
}

// wants reports whether a slot is to be filled, and takes it if so.
func (k *IdlePool) wants(s *keptSlot) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || s.busy || s.kept != nil || k.refuses(s) && time.Since(k.asked) < askAgain {
		return false
	}
	if k.all.Add(1) > MaxIdle {
		k.all.Add(-1)
		return false
	}
	s.busy = true
	return true
}

// refuses reports whether the server said that it keeps no connection for that long. The caller holds mu.
func (k *IdlePool) refuses(s *keptSlot) bool { return k.announced > 0 && s.age > k.announced }

func (k *IdlePool) filled(s *keptSlot, kept *prober.Kept, announced time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s.busy = false
	if kept != nil || announced != 0 {
		k.announced, k.asked = announced, time.Now()
	}
	if kept == nil || k.closed || k.refuses(s) {
		k.all.Add(-1)
		if kept != nil {
			kept.Close()
		}
		return
	}
	s.kept = kept
}

// Close closes every connection; those in use are closed when they have been used.
func (k *IdlePool) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	for i := range k.slots {
		if kept := k.slots[i].kept; kept != nil {
			kept.Close()
			k.slots[i].kept = nil
			k.all.Add(-1)
		}
	}
}

// Size is about how many bytes of memory the fates of the connections take.
func (k *IdlePool) Size() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := perSlot * cap(k.slots)
	for i := range k.slots {
		if last := k.slots[i].last; last != nil {
			n += last.Size()
		}
	}
	return n
}

// State is what is known of the connections.
func (k *IdlePool) State() state.Idle {
	k.mu.Lock()
	defer k.mu.Unlock()
	idle := state.Idle{Announced: k.announced, Asked: !k.asked.IsZero()}
	for _, s := range k.slots {
		if s.last != nil {
			idle.Ages = append(idle.Ages, state.IdleAge{Age: s.age, Last: s.last})
		}
	}
	return idle
}

// Fates are what last became of the connections of each age.
func (k *IdlePool) Fates() []cause.Kept {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []cause.Kept
	for _, s := range k.slots {
		if s.last != nil {
			all = append(all, cause.ObserveKept(s.age, s.last, k.announced))
		}
	}
	return all
}
