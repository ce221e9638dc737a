package target

import (
	"slices"
	"sync"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/prober/result"
)

const (
	maxKernels = 2  // failures with the kernel's counters: the newest ones may still be awaited
	maxFates   = 12 // of idle connections
)

// What digests take in memory, in bytes, without what they point to.
const (
	perFate        = 96
	perRound       = 24
	perExperiments = 160
)

// Evidence is what verdicts on a target are made from.
type Evidence struct {
	mu          sync.Mutex // guards what follows
	recent      digests
	idle        []cause.IdleConn   // the fates of idle connections, the oldest first
	experiments *cause.Experiments // the last ones; which failures they count for is the verdict's to say
	rounds      []time.Time        // of experiments, in the last hour
	busy        bool               // a round is in progress
}

// Add adds the digest of a probe.
func (o *Evidence) Add(seen cause.Digest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.recent.add(&seen)
	o.recent.forgetKernels(maxKernels)
}

// addIdle notes the newest fates of idle connections. The caller holds mu.
func (o *Evidence) addIdle(fates []cause.IdleConn) {
	for _, k := range fates {
		if slices.ContainsFunc(o.idle, func(known cause.IdleConn) bool {
			return known.Age == k.Age &&
				known.At.Equal(k.At)
		}) {
			continue
		}
		if len(o.idle) == maxFates {
			o.idle = append(o.idle[:0], o.idle[1:]...)
		}
		o.idle = append(o.idle, k)
	}
}

// Size is about how many bytes of memory the evidence takes.
func (o *Evidence) Size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := perFate*cap(o.idle) + perRound*cap(o.rounds) + o.recent.size()
	for i := range o.idle {
		n += o.idle[i].Failure.Size()
	}
	if o.experiments != nil {
		n += perExperiments
		for i := range o.experiments.Made {
			n += o.experiments.Made[i].Size()
		}
	}
	return n
}

// Begin reports whether a round of experiments may begin: none is in progress, and fewer than most were made in the
// last hour.
func (o *Evidence) Begin(most int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.rounds) > 0 && time.Since(o.rounds[0]) > time.Hour {
		o.rounds = o.rounds[1:]
	}
	if o.busy || len(o.rounds) >= most {
		return false
	}
	o.busy = true
	o.rounds = append(o.rounds, time.Now())
	return true
}

// End ends a round that was made for a failed result.
func (o *Evidence) End(r *result.Result, made []result.Experiment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy = false
	if len(made) > 0 {
		o.experiments = &cause.Experiments{At: time.Now(), After: *r.Failure.Brief(),
			Addr: r.Last().LastHop().Addr.Addr(), Made: made}
	}
}

// forVerdict is the evidence with the newest fates of idle connections, and with those of the application; false where
// nothing failed recently.
func (o *Evidence) forVerdict(fates []cause.IdleConn, application cause.Application) (cause.Evidence, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.addIdle(fates)
	e := cause.Evidence{Idle: o.idle, Application: application}
	if !o.recent.fail() && !e.Fails() {
		return cause.Evidence{}, false // as with nearly all of a thousand targets
	}
	if e.Recent = o.recent.all(); !e.Fails() {
		return cause.Evidence{}, false
	}
	e.Idle, e.Experiments = slices.Clone(e.Idle), o.experiments
	return e, true
}
