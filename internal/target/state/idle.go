package state

import (
	"time"

	"errno_exporter/internal/lifetime"
	"errno_exporter/prober/result"
)

// Idle is what is known of the idle connections to a target.
type Idle struct {
	Ages []IdleAge
	// by the server's Keep-Alive: timeout=; 0 if it announced nothing, -1 if it closes after each response
	Announced time.Duration
	Asked     bool // a connection was made, so that the server could announce it
	Lifetime  lifetime.Search
}

// IdleAge is what last became of the connection that is kept idle for an age.
type IdleAge struct {
	Age  time.Duration // as configured
	Last *result.IdleResult
}

// IdleFailureKind is what failures of idle connections are counted by.
type IdleFailureKind struct {
	Age time.Duration
	FailureKind
}

// AddIdle counts what became of an idle connection.
func (t *Totals) AddIdle(age time.Duration, r *result.IdleResult) {
	if r.Failure == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle == nil {
		t.idle = map[IdleFailureKind]uint64{}
	}
	t.idle[IdleFailureKind{age, kindOf(r.Failure)}]++
}
