package metrics

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"errno_exporter/prober/result"
)

// Totals is what is counted of a target since the exporter first saw it. It may be used by many goroutines.
type Totals struct {
	mu          sync.Mutex // guards what follows
	attempts    uint64
	failed      uint64
	resets      [phaseCount]uint64
	failures    map[tuple]uint64
	durations   [phaseCount][2]*histogram // by phase, and whether it failed; nil before the first
	kept        map[keptTuple]uint64      // failures of idle connections; nil before the first
	lastSuccess time.Time                 // zero before the first
	lastFailure time.Time
}

// tuple is the labels of a failure.
type tuple struct{ errno, origin, phase, reason string }

const phaseCount = 9

// What totals take in memory, in bytes.
const (
	totalsBytes    = 1 << 10 // themselves, with the places in whatever keeps them
	tuplesBytes    = 704     // a map of failures with its first eight places
	perTuple       = 160
	histogramBytes = 224
	exemplarBytes  = 14 * (48 + 48) // with their trace IDs
)

// Size is about how many bytes of memory the totals take.
func (t *Totals) Size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := totalsBytes + tuplesBytes + perTuple*len(t.failures)
	if t.kept != nil {
		n += tuplesBytes + perTuple*len(t.kept)
	}
	for i := range t.durations {
		for _, h := range t.durations[i] {
			if h == nil {
				continue
			}
			n += histogramBytes + 8*cap(h.native)
			if h.exemplars != nil {
				n += exemplarBytes
			}
		}
	}
	return n
}

// NewTotals returns one that has counted nothing.
func NewTotals() *Totals { return &Totals{failures: map[tuple]uint64{}} }

// Observe counts a result. A probe that was abandoned says nothing about its target and does not count.
func (t *Totals) Observe(r *result.Result) {
	if r.Failure != nil && r.Failure.Reason == result.Abandoned {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for a := range r.Every() {
		t.observeAttempt(a, r.TraceID)
	}
	if ended := r.Start.Add(r.Elapsed); r.Failure == nil {
		t.lastSuccess = ended
	} else {
		t.lastFailure = ended
	}
}

func (t *Totals) observeAttempt(a *result.Attempt, traceID string) {
	t.attempts++
	for i := range a.Hops {
		for _, span := range a.Hops[i].Spans {
			t.observeSpan(span, exemplar{traceID, span.Duration.Seconds(), a.Start.Add(span.Start + span.Duration)})
		}
	}
	f := a.Failure
	if f == nil {
		return
	}
	t.failed++
	t.failures[tuple{result.ErrnoName(f.Errno), string(f.Origin), string(f.Phase), string(f.Reason)}]++
	if f.Reason == result.TCPReset {
		t.resets[phaseIndex(f.Phase)]++
	}
}

// observeSpan counts a phase's time. Judging takes no time worth a histogram.
func (t *Totals) observeSpan(span result.Span, x exemplar) {
	if span.Phase == result.Validate {
		return
	}
	failed := 0
	if span.Failed {
		failed = 1
	}
	h := &t.durations[phaseIndex(span.Phase)][failed]
	if *h == nil {
		*h = newHistogram()
	}
	(*h).observe(span.Duration.Seconds(), x)
}

func phaseIndex(p result.Phase) int {
	for i, row := range result.Phases {
		if row.Phase == p {
			return i
		}
	}
	panic("metrics: phase " + string(p) + " is not in the table")
}

// Totals adds what was counted. What alerts need is there from the first scrape: resets in every phase, at 0 if there
// was none.
func (e *Exposition) Totals(t *Totals) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.counter("probe_attempts_total", "Attempts since the exporter first saw the target.", float64(t.attempts))
	e.counter("probe_attempts_failed_total", "Attempts that failed since the exporter first saw the target.",
		float64(t.failed))
	for i, row := range result.Phases {
		e.counter("probe_connection_resets_total", "Attempts that ended with a connection reset, by phase.",
			float64(t.resets[i]),
			label{"phase", string(row.Phase)})
	}
	e.addFailures(t)
	e.addKeptFailures(t)
	for i, row := range result.Phases {
		for failed, result := range []string{"success", "failure"} {
			if h := t.durations[i][failed]; h != nil {
				e.histogram("probe_phase_duration_seconds",
					"How long the phases of all attempts took, in seconds, by whether the phase succeeded.", h,
					label{"phase", string(row.Phase)}, label{"result", result})
			}
		}
	}
	e.timestamp("probe_last_success_timestamp_seconds", "Unix time at which a probe last succeeded.", t.lastSuccess)
	e.timestamp("probe_last_failure_timestamp_seconds", "Unix time at which a probe last failed.", t.lastFailure)
}

func (e *Exposition) addFailures(t *Totals) {
	if len(t.failures) == 0 {
		return
	}
	tuples := make([]tuple, 0, len(t.failures))
	for f := range t.failures {
		tuples = append(tuples, f)
	}
	slices.SortFunc(tuples, func(a, b tuple) int {
		return strings.Compare(a.phase+" "+a.reason+" "+a.errno+" "+a.origin,
			b.phase+" "+b.reason+" "+b.errno+" "+b.origin)
	})
	for _, f := range tuples {
		e.counter("probe_failures_total", "Attempts that failed, by phase, reason, errno and origin.",
			float64(t.failures[f]),
			label{"errno", f.errno}, label{"origin", f.origin}, label{"phase", f.phase}, label{"reason", f.reason})
	}
}

func (e *Exposition) addKeptFailures(t *Totals) {
	if len(t.kept) == 0 {
		return
	}
	tuples := slices.SortedFunc(maps.Keys(t.kept), func(a, b keptTuple) int {
		return strings.Compare(a.idle+" "+a.phase+" "+a.reason+" "+a.errno+" "+a.origin,
			b.idle+" "+b.phase+" "+b.reason+" "+b.errno+" "+b.origin)
	})
	for _, f := range tuples {
		e.counter("probe_keepalive_failures_total",
			"Idle connections that were closed while idle (phase idle) or failed when used again.", float64(t.kept[f]),
			label{"errno", f.errno}, label{"idle", f.idle}, label{"origin", f.origin}, label{"phase", f.phase},
			label{"reason", f.reason})
	}
}

// timestamp adds a moment, unless it has not come yet.
func (e *Exposition) timestamp(name, help string, at time.Time) {
	if !at.IsZero() {
		e.gauge(name, help, float64(at.UnixMilli())/1000)
	}
}
