package watch

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/egress"
	"errno_exporter/prober/result"
)

// How a target's cause is kept up to date: what was observed of it is kept, experiments are made after a failure where
// the module wants them, and the verdict is made when it is asked for.

const (
	maxObservations = 30
	maxFates        = 12 // of idle connections
	// rounds of experiments at a time, of all targets: when everything fails at once, a few tell as much as all
	maxDiagnosing   = 10
	longestDiagnose = 3 * time.Minute
)

// observed is what verdicts on a target are made from.
type observed struct {
	mu          sync.Mutex // guards what follows
	recent      []cause.Observation
	kept        []cause.Kept       // the fates of idle connections, the oldest first
	experiments *cause.Experiments // the last ones; which failures they count for is the verdict's to say
	rounds      []time.Time        // of experiments, in the last hour
	busy        bool               // a round is under way
}

// add notes what was observed.
func (o *observed) add(seen cause.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.recent) == maxObservations {
		o.recent = append(o.recent[:0], o.recent[1:]...)
	}
	o.recent = append(o.recent, seen)
}

// addKept notes the newest fates of idle connections. The caller holds mu.
func (o *observed) addKept(fates []cause.Kept) {
	for _, k := range fates {
		if slices.ContainsFunc(o.kept, func(known cause.Kept) bool {
			return known.Age == k.Age &&
				known.At.Equal(k.At)
		}) {
			continue
		}
		if len(o.kept) == maxFates {
			o.kept = append(o.kept[:0], o.kept[1:]...)
		}
		o.kept = append(o.kept, k)
	}
}

// size is about how many bytes of memory the observations take.
func (o *observed) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := perFate*cap(o.kept) + perRound*cap(o.rounds)
	for i := range o.recent {
		n += o.recent[i].Size()
	}
	for i := range o.kept {
		n += o.kept[i].Failure.Size()
	}
	if o.experiments != nil {
		n += perExperiments
		for i := range o.experiments.Made {
			n += o.experiments.Made[i].Size()
		}
	}
	return n
}

// begin reports whether a round of experiments may begin: none is under way, and fewer than most were made in the last
// hour.
func (o *observed) begin(most int) bool {
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

// end ends a round that was made for a failed result.
func (o *observed) end(r *result.Result, made []result.Control) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy = false
	if len(made) > 0 {
		o.experiments = &cause.Experiments{At: time.Now(), After: *r.Failure.Brief(),
			Addr: r.Last().LastHop().Addr.Addr(), Made: made}
	}
}

// diagnose makes experiments after a failure, beside everything else, and renews the verdict.
func (w *Watch) diagnose(t *target, o *Outcome) {
	m := t.config.Module
	if !m.Diagnose.OnFailure {
		return
	}
	select {
	case w.diagnosing <- struct{}{}:
	default:
		return
	}
	if !t.observed.begin(m.Diagnose.MaxPerHour) {
		<-w.diagnosing
		return
	}
	started := w.background.Start(func() {
		defer func() { <-w.diagnosing }()
		ended := false
		defer func() {
			if !ended { // by a panic
				t.observed.end(o.Result, nil)
			}
		}()
		ctx, cancel := context.WithTimeout(w.life, longestDiagnose)
		defer cancel()
		w.references.CheckSince(o.Result.Start)
		controls := w.prober.Diagnose(ctx, t.asked(), o.Result, m)
		t.observed.end(o.Result, controls)
		ended = true
		found := cause.Findings{Verdict: w.verdict(t), Controls: controls}
		w.publish(&Published{ID: o.Record, Result: o.Result, Module: m, Reliable: o.Reliable, Found: found,
			Later: true})
	})
	if !started { // the exporter is ending
		<-w.diagnosing
	}
}

// verdict is the cause of a target's failures; nil where nothing failed recently.
func (w *Watch) verdict(t *target) *cause.Verdict {
	fates := t.idle.observed()
	o := &t.observed
	o.mu.Lock()
	o.addKept(fates)
	e := cause.Evidence{Recent: o.recent, Kept: o.kept}
	if !e.Fails() {
		o.mu.Unlock()
		return nil // as with nearly all of a thousand targets
	}
	e.Recent, e.Kept, e.Experiments = slices.Clone(e.Recent), slices.Clone(e.Kept), o.experiments
	o.mu.Unlock()
	e.Egress, e.Host = w.egressFor(t), w.sampler.Last()
	if v, ok := cause.Judge(&e); ok {
		return &v
	}
	return nil
}

// egressFor is what speaks for and against our outbound connectivity, as one target's failure sees it.
func (w *Watch) egressFor(t *target) cause.Egress {
	a := w.Egress()
	e := cause.Egress{Known: a.Known, Up: a.Up, At: a.At}
	if a.Known {
		return e
	}
	e.Down, e.OutOfReach, e.Targets = a.Down(), a.OutOfReach, a.Targets
	var own netip.Prefix
	if last := t.latest(); last != nil {
		own = egress.Network(last.Result)
	}
	e.Unreached, e.Others = a.Beside(own)
	return e
}

// reach remembers an assessment for a moment: a thousand verdicts want it at once.
type reach struct {
	mu       sync.Mutex // guards what follows
	assessed time.Time
	last     egress.Assessment // its maps are replaced, never written
}

const (
	reachInterval = time.Second
	networkAge    = 24 * time.Hour // for which the network that a target was last dialed in counts
)

// Egress is what is known of our own egress.
func (w *Watch) Egress() egress.Assessment {
	r := &w.reach
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.assessed) > reachInterval {
		var seen []egress.Seen
		targets := w.current()
		for _, t := range targets {
			if s, probed := t.seen(now); probed {
				seen = append(seen, s)
			}
		}
		r.last, r.assessed = egress.Assess(egress.State{}, len(targets), seen), now
	}
	a := r.last
	a.State = w.references.State()
	return a
}

// seen is what the target says about our egress; false before its first probe.
func (t *target) seen(now time.Time) (egress.Seen, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		return egress.Seen{}, false
	}
	s := egress.Seen{Result: t.last.Result}
	if now.Sub(t.dialed) <= networkAge {
		s.Dialed = t.network
	}
	return s, true
}

// alone is the verdict on a single result by itself; nil if it succeeded.
func (w *Watch) alone(o *Outcome) *cause.Verdict {
	if o.Result.Failure == nil {
		return nil
	}
	state := w.references.State()
	v, ok := cause.Judge(&cause.Evidence{
		Recent: []cause.Observation{o.observation()}, Host: w.sampler.Last(),
		Egress: cause.Egress{Known: state.Known, Up: state.Up, At: state.At},
	})
	if !ok {
		return nil
	}
	return &v
}
