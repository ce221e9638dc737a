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

// The pool of idle connections.
//
//   - A target whose module has keepalive has one idle connection for each configured age. It is opened after a probe
//     that succeeded, by a request of its own, so that it delays no probe.
//   - At the first scrape at which it has been idle that long, or has ended, it is used again, or its end is reported,
//     beside the probe over a fresh connection. If it serves the request it returns to the pool.
//   - No connection is left idle for longer than the server announces (Keep-Alive: timeout=). The announcement counts
//     for a minute only: it changes with the server, and with the host that answers behind its name.
//   - A target whose module measures the lifetime of idle connections has one more: lifetime.go.

// MaxIdle bounds the connections that are kept idle at once, of all targets.
const MaxIdle = 1000

// perSlot is what the slot of a connection takes in memory, in bytes, without what it points to.
const perSlot = 48

// idleTimeout bounds a request on an idle connection, where the module's timeout does not.
const idleTimeout = 10 * time.Second

// announcementAge is how long a server's announcement counts.
const announcementAge = time.Minute

// IdlePool holds a target's idle connections. A target that has none, by its module, has a nil one.
type IdlePool struct {
	panicked guard.Report // is called with panics; may be nil
	module   *module.Module
	target   prober.Target
	totals   *state.Totals
	all      *atomic.Int64 // idle connections, of all pools
	lifetime *Lifetime
	measured time.Duration // up to which age lifetime is measured; 0: it is not

	mu        sync.Mutex // guards what follows
	slots     []idleSlot
	announced time.Duration // as Prober.OpenIdle returns it
	asked     time.Time     // when announced was learned; zero before
	closed    bool
	cancel    context.CancelFunc // of the trial that is under way; nil before the first
}

// idleSlot is the connection of one age.
type idleSlot struct {
	age  time.Duration
	conn *prober.IdleConn // nil while there is none, and while it is in use
	busy bool
	last *result.IdleResult // nil before the first
}

// NewIdlePool returns the pool of a target; nil where its module has no idle connections. All pools together count
// their connections in all; panics are reported.
func NewIdlePool(t *Target, all *atomic.Int64, panicked guard.Report) *IdlePool {
	if m := t.Config.Module; len(m.Keepalive) == 0 && m.KeepaliveMax == 0 {
		return nil
	}
	k := &IdlePool{module: t.Config.Module, target: t.Probed(), totals: t.Totals, all: all, panicked: panicked,
		lifetime: &t.Lifetime, measured: t.Config.Module.KeepaliveMax}
	for _, age := range k.module.Keepalive {
		k.slots = append(k.slots, idleSlot{age: age})
	}
	return k
}

// Use uses the connections that are due, concurrently. The channel is closed when all have been used. Each has the
// module's timeout, whatever the scrape's is: a scrape with a short timeout must not end a connection that works.
func (k *IdlePool) Use(life context.Context) <-chan struct{} {
	done := make(chan struct{})
	if k == nil {
		close(done)
		return done
	}
	var using guard.Group
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.slots {
		s := &k.slots[i]
		if s.conn == nil {
			continue
		}
		if idle, established := s.conn.Idle(); established && idle < s.age {
			continue
		}
		conn := s.conn
		s.conn, s.busy = nil, true
		using.Go(func() { k.useOne(life, s, conn) })
	}
	k.panicked.Go(func() { defer close(done); using.Wait() })
	return done
}

// useOne uses a connection. After a panic it is not used again.
func (k *IdlePool) useOne(life context.Context, s *idleSlot, conn *prober.IdleConn) {
	var r result.IdleResult
	p := guard.Try(func() {
		ctx, cancel := context.WithTimeout(life, k.timeout())
		defer cancel()
		r = conn.Probe(ctx)
	})
	if p == nil {
		k.used(s, conn, &r)
		return
	}
	k.panicked.Tell(p)
	k.panicked.Run(conn.Close)
	k.mu.Lock()
	defer k.mu.Unlock()
	s.busy, s.last = false, &result.IdleResult{Failure: &result.Failure{Phase: result.Idle, Reason: result.Unknown,
		Origin: result.Self, Err: p}}
	k.all.Add(-1)
	k.totals.AddIdle(s.age, s.last)
}

// timeout is how long a request on an idle connection may take.
func (k *IdlePool) timeout() time.Duration {
	if k.module.Timeout > 0 {
		return min(k.module.Timeout, idleTimeout)
	}
	return idleTimeout
}

// used notes what became of a connection.
func (k *IdlePool) used(s *idleSlot, conn *prober.IdleConn, r *result.IdleResult) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s.busy = false
	if r.Failure == nil || r.Failure.Reason != result.Abandoned {
		s.last = r.Summary()
		k.totals.AddIdle(s.age, r)
	}
	if k.closed || !conn.Reusable() {
		k.all.Add(-1)
		conn.Close()
		return
	}
	s.conn = conn
}

// Fill makes the connections that are missing, after a probe that succeeded.
func (k *IdlePool) Fill(life context.Context, p *prober.Prober) {
	if k == nil {
		return
	}
	for i := range k.slots {
		s := &k.slots[i]
		if !k.wants(s) {
			continue
		}
		var conn *prober.IdleConn
		var announced time.Duration
		k.panicked.Run(func() {
			ctx, cancel := context.WithTimeout(life, k.timeout())
			defer cancel()
			conn, announced = p.OpenIdle(ctx, k.target, k.module)
		})
		k.filled(s, conn, announced) // also after a panic: the age is tried again
	}
	k.measure(life, p)
}

// wants reports whether a slot is to be filled, and takes it if so.
func (k *IdlePool) wants(s *idleSlot) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || s.busy || s.conn != nil || k.refuses(s) && time.Since(k.asked) < announcementAge {
		return false
	}
	if k.all.Add(1) > MaxIdle {
		k.all.Add(-1)
		return false
	}
	s.busy = true
	return true
}

// refuses reports whether the server announced a shorter idle timeout. The caller holds mu.
func (k *IdlePool) refuses(s *idleSlot) bool { return k.announced > 0 && s.age > k.announced }

func (k *IdlePool) filled(s *idleSlot, conn *prober.IdleConn, announced time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s.busy = false
	if conn != nil || announced != 0 {
		k.announced, k.asked = announced, time.Now()
	}
	if conn == nil || k.closed || k.refuses(s) {
		k.all.Add(-1)
		if conn != nil {
			conn.Close()
		}
		return
	}
	s.conn = conn
}

// Close closes every connection; those in use are closed when they have been used.
func (k *IdlePool) Close() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	if k.cancel != nil {
		k.cancel()
	}
	for i := range k.slots {
		if conn := k.slots[i].conn; conn != nil {
			conn.Close()
			k.slots[i].conn = nil
			k.all.Add(-1)
		}
	}
}

// Size is about how many bytes of memory the fates of the connections take.
func (k *IdlePool) Size() int {
	if k == nil {
		return 0
	}
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

// State is what is known of the connections, but for their lifetime.
func (k *IdlePool) State() state.Idle {
	if k == nil {
		return state.Idle{}
	}
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
func (k *IdlePool) Fates() []cause.IdleConn {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []cause.IdleConn
	for _, s := range k.slots {
		if s.last != nil {
			all = append(all, cause.IdleConnOf(s.age, s.last, k.announced))
		}
	}
	return all
}
