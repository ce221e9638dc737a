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
)

// What a timeline takes in memory, in bytes.
const (
	timelineBytes = 7 << 10 // the buckets of a day
	perTick       = 96
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
func PhaseTimesOf(a *result.Attempt) PhaseTimes {
	var t PhaseTimes
	for i := range a.Hops {
		for _, s := range a.Hops[i].Spans {
			for at := range result.Phases {
				if result.Phases[at].Phase == s.Phase {
					t[at] += float32(s.Duration.Seconds())
				}
			}
		}
	}
	return t
}

// Timeline is a target's results over time. It may be used by many goroutines.
type Timeline struct {
	mu      sync.Mutex // guards what follows
	ticks   []Tick     // the last ones, in their order
	since   time.Time  // when the state of now began
	last    *Tick      // failure; nil before the first
	all     share
	first   time.Time // end of the first result: buckets are numbered from there
	buckets [bucketCount]bucket
}

type share struct{ ok, failed uint64 }

type bucket struct {
	began int64 // in bucketWidths since the first result
	share
}

// Add notes a result.
func (l *Timeline) Add(t Tick) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.ticks); n == 0 || (l.ticks[n-1].Failure == nil) != (t.Failure == nil) {
		l.since = t.Ended
	}
	if len(l.ticks) == MaxTicks {
		l.ticks = slices.Delete(l.ticks, 0, 1)
	}
	l.ticks = append(l.ticks, t)
	if l.first.IsZero() {
		l.first = t.Ended
	}
	began := int64(t.Ended.Sub(l.first) / bucketWidth)
	b := &l.buckets[began%bucketCount]
	if b.began != began {
		*b = bucket{began: began}
	}
	if t.Failure == nil {
		l.all.ok++
		b.ok++
		return
	}
	l.all.failed++
	b.failed++
	l.last = &t
}

// Size is about how many bytes of memory the timeline takes.
func (l *Timeline) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := timelineBytes + perTick*cap(l.ticks)
	for i := range l.ticks {
		n += l.ticks[i].Failure.Size()
	}
	if l.last != nil {
		n += perTick + l.last.Failure.Size()
	}
	return n
}

// Overview is a timeline at one moment.
type Overview struct {
	Ticks       []Tick    // the last ones, at most 60, the oldest first
	Since       time.Time // when the state of now began; zero before the first probe
	LastFailure *Tick     // nil if there was none
	Hour, Day   Share
	All         Share // since start
}

// Share is how many probes succeeded, of how many.
type Share struct{ Succeeded, Probes uint64 }

// At is the timeline at a time.
func (l *Timeline) At(now time.Time) Overview {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Overview{
		Ticks: slices.Clone(l.ticks), Since: l.since, LastFailure: l.last,
		Hour: l.within(now, time.Hour), Day: l.within(now, 24*time.Hour), All: Share{l.all.ok, l.all.ok + l.all.failed},
	}
}

// within adds up the buckets of a span of time, by the monotonic clock: whoever sets the system's clock neither loses
// a result nor has an old one counted. The caller holds mu.
func (l *Timeline) within(now time.Time, span time.Duration) Share {
	from := now.Sub(l.first) - span
	var s Share
	for i := range l.buckets {
		if b := &l.buckets[i]; time.Duration(b.began)*bucketWidth > from {
			s.Succeeded += b.ok
			s.Probes += b.ok + b.failed
		}
	}
	return s
}
