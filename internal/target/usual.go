package target

import (
	"sync"
	"time"

	"errno_exporter/prober/result"
)

// Which failures count.
//
//   - A probe that its own deadline ended says as much about its caller, who set the deadline, as about the target. It
//     counts (totals, timeline, verdict) only if it had as much time as the target's callers usually give. Otherwise it
//     is that caller's alone.
//   - Usual is the second longest time of the probes that counted in the last five to ten minutes: one caller alone,
//     such as a person with curl, does not raise it. Of fewer than three probes it is the longest time, and never less
//     than leastUsual.
//   - A failure that does not count is not noted here either, however often it is repeated.
//   - A module's timeout bounds every caller's time, and so the usual one. A scrape timeout that is shorter than the
//     module's timeout is usual from its first probe on.

const (
	// leastUsual is half a second, the least that a Prometheus with a scrape timeout of one second leaves for a probe
	// (--timeout-offset), less what is reserved for the answer.
	leastUsual = 400 * time.Millisecond
	usualSpan  = 5 * time.Minute // of which there are two
	// usualSlack is the share by which a probe may miss the usual time: scrapes of many targets keep more back than
	// those of one.
	usualSlack = 10
)

// usual knows how much time the callers of a target usually give a probe.
type usual struct {
	mu          sync.Mutex // guards what follows
	now, before longest2   // of this span of time and of the last one
	began       time.Time  // this span
}

// longest2 is the two longest times of n probes.
type longest2 struct {
	first, second time.Duration
	n             int
}

func (l longest2) with(d time.Duration) longest2 {
	switch {
	case d > l.first:
		l.first, l.second = d, l.first
	case d > l.second:
		l.second = d
	}
	l.n++
	return l
}

// ending is a probe that ended.
type ending struct {
	at      time.Time
	allowed time.Duration // that the probe might have taken
	timeout time.Duration // of the module; 0 for none
	cut     bool          // more time might have changed the result
}

// counts reports whether a probe's result counts, and notes its time if it does.
func (u *usual) counts(e ending) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if age := e.at.Sub(u.began); age >= 2*usualSpan {
		u.now, u.before, u.began = longest2{}, longest2{}, e.at
	} else if age >= usualSpan {
		u.now, u.before, u.began = longest2{}, u.now, e.at
	}
	if e.cut && e.allowed < e.least(u.usual()) {
		return false
	}
	u.now = u.now.with(e.allowed)
	return true
}

// usual is the time that callers usually give. The caller holds mu.
func (u *usual) usual() time.Duration {
	both := u.now.with(u.before.first).with(u.before.second)
	if u.now.n+u.before.n < 3 {
		return max(leastUsual, both.first)
	}
	return max(leastUsual, both.second)
}

// least is the least time with which a probe that its deadline ended counts.
func (e *ending) least(usual time.Duration) time.Duration {
	least := usual - usual/usualSlack
	if e.timeout > 0 {
		return min(e.timeout, least)
	}
	return least
}

// Counts reports whether a probe that was allowed so much time counts for its target, and notes the time if it does.
func (t *Target) Counts(r *result.Result, allowed time.Duration) bool {
	f := r.Failure
	return t.usual.counts(ending{
		at: time.Now(), allowed: allowed, timeout: t.Config.Module.Timeout,
		cut: r.TimedOut() || f != nil && f.Reason == result.LocalOverloaded,
	})
}
