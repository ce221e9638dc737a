package target

import (
	"context"
	"sync"
	"time"

	"errno_exporter/internal/lifetime"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// How the lifetime of idle connections is measured: internal/lifetime says which age is next, and this makes the
// trials. There is one connection at a time, which begins after a probe that succeeded. It costs two requests. While
// nothing is to be learned any more there is a trial in each of the longest age that is measured.

// Lifetime is what is measured of a target's idle connections. It outlives a configuration.
type Lifetime struct {
	mu    sync.Mutex // guards what follows
	busy  bool       // a trial is under way
	found *found     // nil before the first, as most targets have none
}

// found is what trials have shown.
type found struct {
	search lifetime.Search
	tried  time.Time // when the last one ended
}

// Search is the search as far as it has come.
func (l *Lifetime) Search() lifetime.Search {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known().search
}

// known is what is found so far. The caller holds mu.
func (l *Lifetime) known() found {
	if l.found == nil {
		return found{}
	}
	return *l.found
}

// begin takes the next trial, of the age that it returns; false if none is due.
func (l *Lifetime) begin(now time.Time, most time.Duration) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.known()
	if l.busy || known.search.Done(most) && now.Sub(known.tried) < most {
		return 0, false
	}
	l.busy = true
	return known.search.Next(most), true
}

// end ends a trial; with a result, if there is one.
func (l *Lifetime) end(age time.Duration, r *result.IdleResult) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = false
	if r == nil {
		return
	}
	if t, ok := lifetime.Of(age, r); ok {
		l.found = &found{l.known().search.Note(t), time.Now()}
	}
}

// measure begins the next trial of the search, if one is due.
func (k *IdlePool) measure(life context.Context, p *prober.Prober) {
	if k.measured == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	age, ok := k.lifetime.begin(time.Now(), k.measured)
	if !ok {
		return
	}
	if k.all.Add(1) > MaxIdle {
		k.all.Add(-1)
		k.lifetime.end(age, nil)
		return
	}
	ctx, cancel := context.WithCancel(life)
	k.cancel = cancel
	k.panicked.Go(func() {
		var r *result.IdleResult
		defer func() {
			cancel()
			k.all.Add(-1)
			k.lifetime.end(age, r)
		}()
		r = k.try(ctx, p, age)
	})
}

// try leaves a connection idle for an age and then uses it; nil if that shows nothing.
func (k *IdlePool) try(ctx context.Context, p *prober.Prober, age time.Duration) *result.IdleResult {
	made, cancel := context.WithTimeout(ctx, k.timeout())
	defer cancel()
	conn, _ := p.OpenIdle(made, k.target, k.module)
	if conn == nil {
		return nil
	}
	defer conn.Close()
	if !conn.Rest(ctx, age) {
		return nil
	}
	use, cancel := context.WithTimeout(ctx, k.timeout())
	defer cancel()
	r := conn.Probe(use)
	return &r
}
