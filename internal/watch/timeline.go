package watch

import (
	"slices"
	"sync"
	"time"

	"errno_exporter/prober/result"
)

// The bounds of a timeline.
const (
	maxTicks    = 60              // last results, each by itself
	bucketWidth = 5 * time.Minute // of the shares
	bucketCount = 24 * 12         // a day of them
)

// Tick is one result on a timeline.
type Tick struct {
	Record  uint64 // the ID of its record; 0 if none is kept
	Ended   time.Time
	Elapsed time.Duration
	Failure *result.Failure // nil if it succeeded
}

// timeline is what became of a target over time.
type timeline struct {
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

// add notes a result.
func (l *timeline) add(t Tick) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.ticks); n == 0 || (l.ticks[n-1].Failure == nil) != (t.Failure == nil) {
		l.since = t.Ended
	}
	if len(l.ticks) == maxTicks {
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

// size is about how many bytes of memory the timeline takes.
func (l *timeline) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := perTimeline + perTick*cap(l.ticks)
	for i := range l.ticks {
		n += l.ticks[i].Failure.Size()
	}
	if l.last != nil {
		n += perTick + l.last.Failure.Size()
	}
	return n
}

// Timeline is what became of a target over time, as a value.
type Timeline struct {
	Ticks       []Tick    // the last ones, at most 60, the oldest first
	Since       time.Time // when the state of now began; zero before the first probe
	LastFailure *Tick     // nil if there was none
	Hour, Day   Share
	All         Share // since start
}

// Share is how many probes succeeded, of how many.
type Share struct{ Succeeded, Probes uint64 }

// at is the timeline as it is at a time.
func (l *timeline) at(now time.Time) Timeline {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Timeline{
		Ticks: slices.Clone(l.ticks), Since: l.since, LastFailure: l.last,
		Hour: l.within(now, time.Hour), Day: l.within(now, 24*time.Hour), All: Share{l.all.ok, l.all.ok + l.all.failed},
	}
}

// within adds up the buckets of a span of time, by the monotonic clock: whoever sets the system's clock neither loses
// a result nor has an old one counted. The caller holds mu.
func (l *timeline) within(now time.Time, span time.Duration) Share {
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
