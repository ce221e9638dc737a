package state

import (
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/prober/result"
)

// MaxTicks is how many results a timeline has, each by itself.
const MaxTicks = 60

// The buckets of a timeline.
const (
	bucketWidth = 5 * time.Minute // of the shares
	bucketCount = 24 * 12         // a day of them
	dayWidth    = 24 * time.Hour  // of the shares of a month
	dayCount    = 31              // 30 days of them, and the one of now
)

// What a timeline takes in memory, in bytes.
const (
	timelineBytes = 448 // itself
	tickBytes     = 96
)

// Tick is one result on a timeline.
type Tick struct {
	Record  ulid.ULID // the ID of its record; zero if none is kept
	Ended   time.Time
	Elapsed time.Duration
	Phases  PhaseTimes
	Failure *result.Failure // nil if it succeeded
}

// PhaseTimes is what each phase of a probe took, in seconds, at its place in result.Phases. A phase that did not begin
// has 0, as has one that took no time.
type PhaseTimes [9]float32

// PhaseTimesOf adds up the phases of an attempt's hops.
func PhaseTimesOf(a *result.Attempt) (t PhaseTimes) {
	var took [len(t)]time.Duration
	for i := range a.Hops {
		for _, s := range a.Hops[i].Spans {
			for at := range result.Phases {
				if result.Phases[at].Phase == s.Phase {
					took[at] += s.Duration
				}
			}
		}
	}
	for at := range took {
		t[at] = float32(took[at].Seconds())
	}
	return t
}

// Timeline is a target's results over time. It may be used by many goroutines.
type Timeline struct {
	mu     sync.Mutex // guards what follows
	ticks  ticks      // the last ones, in their order
	since  time.Time  // when the state of now began
	failed bool       // the last result
	last   *Tick      // failure; nil before the first
	total  share
	first  time.Time // end of the first result: buckets are numbered from there
	day    shares    // in buckets of five minutes
	month  shares    // in days
}

// Add notes a result.
func (l *Timeline) Add(t Tick) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if failed := t.Failure != nil; l.ticks.n == 0 || failed != l.failed {
		l.since, l.failed = t.Ended, failed
	}
	l.ticks.add(&t)
	if l.first.IsZero() {
		l.first = t.Ended
	}
	since := max(0, t.Ended.Sub(l.first))
	result := share{ok: 1}
	if t.Failure != nil {
		kept := t
		result, l.last = share{failed: 1}, &kept
	}
	l.day.count(int64(since/bucketWidth), result, bucketCount)
	l.month.count(int64(since/dayWidth), result, dayCount)
	l.total.ok += result.ok
	l.total.failed += result.failed
}

// Size is about how many bytes of memory the timeline takes.
func (l *Timeline) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := timelineBytes + l.ticks.size() + cap(l.day.packed) + cap(l.month.packed)
	if l.last != nil {
		n += tickBytes + l.last.Failure.Size()
	}
	return n
}

// Overview is a timeline at one moment.
type Overview struct {
	Ticks       []Tick    // the last ones, at most 60, the oldest first
	First       time.Time // when the first result ended; zero before it
	State       State
	Since       time.Time // when the state of that moment began; zero where that is not known
	LastFailure *Tick     // nil if there was none, or if it is no longer known
	Hour, Day   Share
	Month       Share // of 30 days
	All         Share // since start
}

// State is what a target's last result shows.
type State string

// The states.
const (
	OK      State = "ok"
	Failing State = "failing"
	Unknown State = "unknown" // there is no result, or it is no longer known
)

// At is the timeline at a time: of now, or of an earlier one as far as that is still known.
func (l *Timeline) At(at time.Time) Overview {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := Overview{First: l.first, State: Unknown}
	all := l.ticks.all()
	n, _ := slices.BinarySearchFunc(all, at, func(t Tick, at time.Time) int {
		if t.Ended.After(at) {
			return 1
		}
		return -1
	})
	o.Ticks = all[:n:n]
	if l.first.IsZero() || at.Before(l.first) {
		o.First = time.Time{}
		return o
	}
	o.State, o.Since = l.state(all, n, at)
	o.Hour = l.day.within(bucketWidth, l.span(at, time.Hour))
	o.Day = l.day.within(bucketWidth, l.span(at, 24*time.Hour))
	o.Month = l.month.within(dayWidth, l.span(at, 30*24*time.Hour))
	if o.All = (Share{l.total.ok, l.total.ok + l.total.failed}); n < len(all) {
		o.All = o.Month // the rest is no longer known by itself
	}
	if l.last != nil && !l.last.Ended.After(at) {
		o.LastFailure = l.last
	}
	for i := range o.Ticks {
		if o.LastFailure != l.last && o.Ticks[i].Failure != nil {
			o.LastFailure = &o.Ticks[i]
		}
	}
	return o
}

// state is the state at a time, before which n of all ticks ended, and since when. The caller holds mu.
func (l *Timeline) state(ticks []Tick, n int, at time.Time) (State, time.Time) {
	of := func(failed bool) State {
		if failed {
			return Failing
		}
		return OK
	}
	if !at.Before(l.since) {
		return of(l.failed), l.since
	}
	if n > 0 {
		failed, began := ticks[n-1].Failure != nil, n-1
		for began > 0 && (ticks[began-1].Failure != nil) == failed {
			began--
		}
		if began > 0 || ticks[0].Ended.Equal(l.first) {
			return of(failed), ticks[began].Ended
		}
		return of(failed), time.Time{}
	}
	b := l.day.find(int64(at.Sub(l.first) / bucketWidth))
	if (b.ok > 0) == (b.failed > 0) {
		return Unknown, time.Time{}
	}
	return of(b.failed > 0), time.Time{}
}

// span is a span of time that ends at a time, in time since the first result. The caller holds mu. It is by the
// monotonic clock: whoever sets the system's clock neither loses a result nor has an old one counted.
func (l *Timeline) span(at time.Time, length time.Duration) [2]time.Duration {
	to := at.Sub(l.first)
	return [2]time.Duration{to - length, to}
}
