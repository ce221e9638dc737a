package state

import (
	"cmp"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
)

// Counts are Totals at one moment.
type Counts struct {
	Attempts, Failed         uint64
	Resets                   [PhaseCount]uint64        // by phase, in the order of result.Phases
	Failures                 []FailureCount            // by phase, reason, errno and origin
	IdleFailures             []IdleFailureCount        // by age, then as failures
	Durations                [PhaseCount][2]*Histogram // by phase, and whether it failed; nil or empty for none
	LastSuccess, LastFailure time.Time                 // zero before the first
}

// FailureCount is how many attempts failed in one way.
type FailureCount struct {
	FailureKind
	N      uint64
	Record ulid.ULID // of the last probe that failed so; zero if none is kept
}

// IdleFailureCount is how many idle connections of one age failed in one way.
type IdleFailureCount struct {
	IdleFailureKind
	N uint64
}

// CopyTo makes c what was counted so far. The memory of c is used again.
func (t *Totals) CopyTo(c *Counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.Attempts, c.Failed, c.Resets = t.attempts, t.failed, t.resets()
	c.LastSuccess, c.LastFailure = t.lastSuccess, t.lastFailure
	c.Failures, c.IdleFailures = c.Failures[:0], c.IdleFailures[:0]
	for kind, f := range t.failures {
		c.Failures = append(c.Failures, FailureCount{kind, f.n, f.record})
	}
	for kind, n := range t.idle {
		c.IdleFailures = append(c.IdleFailures, IdleFailureCount{kind, n})
	}
	slices.SortFunc(c.Failures, func(a, b FailureCount) int { return a.compare(b.FailureKind) })
	slices.SortFunc(c.IdleFailures, func(a, b IdleFailureCount) int {
		return cmp.Or(cmp.Compare(a.Age, b.Age), a.compare(b.FailureKind))
	})
	t.durations.copyTo(&c.Durations)
}

// copyTo copies all histograms; those of places where nothing was observed become empty.
func (d *durations) copyTo(to *[PhaseCount][2]*Histogram) {
	for _, outcomes := range to {
		for _, h := range outcomes {
			if h != nil {
				h.clear()
			}
		}
	}
	for at := 0; at < len(d.packed); at = d.end(at) {
		p := place(d.packed[at])
		h := &to[p/2][p%2]
		if *h == nil {
			*h = new(Histogram)
		}
		d.unpack(at, *h)
	}
}

// compare is the order in which failures are listed.
func (k FailureKind) compare(o FailureKind) int {
	return cmp.Or(cmp.Compare(k.Phase, o.Phase), cmp.Compare(k.Reason, o.Reason), cmp.Compare(k.Errno, o.Errno),
		cmp.Compare(k.Origin, o.Origin))
}
