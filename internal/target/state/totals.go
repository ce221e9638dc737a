package state

import (
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/prober/result"
)

// Totals is what is counted of a target since the exporter first saw it. It may be used by many goroutines.
type Totals struct {
	mu          sync.Mutex // guards what follows
	attempts    uint64
	failed      uint64
	failures    map[FailureKind]failures // nil before the first
	durations   durations
	idle        map[IdleFailureKind]uint64
	lastSuccess time.Time // zero before the first
	lastFailure time.Time
}

// FailureKind is what failures are counted by.
type FailureKind struct{ Errno, Origin, Phase, Reason string }

func kindOf(f *result.Failure) FailureKind {
	return FailureKind{result.ErrnoName(f.Errno), string(f.Origin), string(f.Phase), string(f.Reason)}
}

// PhaseCount is the number of phases.
const PhaseCount = 9

// What totals take in memory, in bytes.
const (
	totalsBytes   = 1 << 10 // themselves, with the places in whatever keeps them
	kindsBytes    = 704     // a map of failures with its first eight places
	perKind       = 160
	exemplarBytes = (mostBounds + 1) * (64 + 48) // with their trace IDs
)

// failures is what is counted of one kind of failure.
type failures struct {
	n      uint64
	record ulid.ULID // of the last probe that failed so; zero if none is kept
}

// Size is about how many bytes of memory the totals take.
func (t *Totals) Size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := totalsBytes
	if t.failures != nil {
		n += kindsBytes + perKind*len(t.failures)
	}
	if t.idle != nil {
		n += kindsBytes + perKind*len(t.idle)
	}
	return n + t.durations.size()
}

// NewTotals returns one that has counted nothing.
func NewTotals() *Totals { return new(Totals) }

// Add counts a result, whose record has an ID unless none is kept. A probe that was abandoned says nothing about its
// target and does not count.
func (t *Totals) Add(r *result.Result, record ulid.ULID) {
	if r.Failure != nil && r.Failure.Reason == result.Abandoned {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for a := range r.Every() {
		t.addAttempt(a, Exemplar{TraceID: r.TraceID, Record: record})
	}
	if ended := r.Start.Add(r.Elapsed); r.Failure == nil {
		t.lastSuccess = ended
	} else {
		t.lastFailure = ended
	}
}

func (t *Totals) addAttempt(a *result.Attempt, x Exemplar) {
	t.attempts++
	for i := range a.Hops {
		for _, span := range a.Hops[i].Spans {
			x.Value, x.At = span.Duration.Seconds(), a.Start.Add(span.Start+span.Duration)
			t.addSpan(span, x)
		}
	}
	f := a.Failure
	if f == nil {
		return
	}
	t.failed++
	kind := kindOf(f)
	counted := t.failures[kind]
	counted.n++
	if x.Record != ulid.Zero {
		counted.record = x.Record
	}
	t.setFailures(kind, counted)
}

func (t *Totals) setFailures(kind FailureKind, counted failures) {
	if t.failures == nil {
		t.failures = map[FailureKind]failures{}
	}
	t.failures[kind] = counted
}

// resets is how many attempts a reset ended, by phase. The caller holds mu.
func (t *Totals) resets() (by [PhaseCount]uint64) {
	for kind, f := range t.failures {
		for i, row := range result.Phases {
			if kind.Reason == string(result.TCPReset) && kind.Phase == string(row.Phase) {
				by[i] += f.n
			}
		}
	}
	return by
}

// addSpan counts a phase's time. The checks of a response take no time worth a histogram.
func (t *Totals) addSpan(span result.Span, x Exemplar) {
	if span.Phase == result.Validate {
		return
	}
	failed := 0
	if span.Failed {
		failed = 1
	}
	t.durations.observe(placeOf(phaseIndex(span.Phase), failed), span.Duration.Seconds(), x)
}

func phaseIndex(p result.Phase) int {
	for i, row := range result.Phases {
		if row.Phase == p {
			return i
		}
	}
	panic("state: phase " + string(p) + " is not in the table")
}
