package watch

import (
	"context"
	"slices"
	"sync"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/prober"
)

// How a target's cause is kept up to date: what was observed of it is kept, control attempts are made after a failure where the module wants
// them, and the verdict is made when somebody asks.

const (
	maxObservations = 30
	maxDiagnosing   = 10 // rounds of control attempts at a time, of all targets: when everything fails at once, a few tell as much as all
	longestDiagnose = 3 * time.Minute
)

// observed is what verdicts on a target are made from.
type observed struct {
	mu       sync.Mutex // guards what follows
	recent   []cause.Observation
	controls []prober.Control // after the last failure
	rounds   []time.Time      // of control attempts, in the last hour
	busy     bool             // a round is under way
}

// add notes what was observed. Control attempts are those after the last failure: with a new one they go.
func (o *observed) add(seen cause.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.recent) == maxObservations {
		o.recent = append(o.recent[:0], o.recent[1:]...)
	}
	if last := len(o.recent) - 1; seen.Failure != nil && last >= 0 && o.recent[last].Failure != nil && o.recent[last].Failure.Reason != seen.Failure.Reason {
		o.controls = nil // it fails otherwise than it did
	}
	if seen.Failure == nil && len(o.recent) > 0 && o.recent[len(o.recent)-1].Failure == nil {
		o.controls = nil
	}
	o.recent = append(o.recent, seen)
}

// begin reports whether a round of control attempts may begin: none is under way, and fewer than most were made in the last hour.
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

func (o *observed) end(controls []prober.Control) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy = false
	if len(controls) > 0 {
		o.controls = controls
	}
}

// diagnose makes control attempts after a failure, beside everything else, and says anew what the cause is.
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
	started := w.background.start(func() {
		defer func() { <-w.diagnosing }()
		ended := false
		defer func() {
			if !ended { // by a panic
				t.observed.end(nil)
			}
		}()
		ctx, cancel := context.WithTimeout(w.life, longestDiagnose)
		defer cancel()
		w.controls.look()
		controls := w.prober.Diagnose(ctx, o.Result, m)
		t.observed.end(controls)
		ended = true
		w.own.Controls.Add(float64(len(controls)))
		w.judged(o.Record, w.verdict(t), controls)
	})
	if !started { // the exporter is ending
		<-w.diagnosing
	}
}

// verdict is the cause of a target's failures; nil where nothing failed of late.
func (w *Watch) verdict(t *target) *cause.Verdict {
	e := cause.Evidence{Kept: t.keeper.observed()}
	t.observed.mu.Lock()
	if e.Recent = t.observed.recent; len(e.Kept) == 0 && !e.Ails() {
		t.observed.mu.Unlock()
		return nil // as with nearly all of a thousand targets
	}
	e.Recent, e.Controls = slices.Clone(e.Recent), t.observed.controls
	t.observed.mu.Unlock()
	e.Egress, e.Host = w.egressFor(t), w.sampler.Last()
	if v, ok := cause.Judge(&e); ok {
		return &v
	}
	return nil
}

// egressFor is what speaks for and against our way out, as one target's failure sees it.
func (w *Watch) egressFor(t *target) cause.Egress {
	state := w.controls.state()
	e := cause.Egress{Known: state.Known, Up: state.Up}
	if state.Known {
		return e
	}
	e.Unreached, e.Others = w.reach.count(w)
	if last := t.latest(); last != nil {
		e.Others--
		if cause.OutOfReach(last.Result.Failure) {
			e.Unreached--
		}
	}
	return e
}

// reach counts the targets that are out of reach. A count is used for a moment: a thousand verdicts want it at once.
type reach struct {
	mu                sync.Mutex // guards what follows
	counted           time.Time
	unreached, probed int
}

const reachInterval = time.Second

func (r *reach) count(w *Watch) (unreached, probed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.counted) > reachInterval {
		r.unreached, r.probed, r.counted = 0, 0, time.Now()
		for _, t := range w.current() {
			if last := t.latest(); last != nil {
				r.probed++
				if cause.OutOfReach(last.Result.Failure) {
					r.unreached++
				}
			}
		}
	}
	return r.unreached, r.probed
}

// Verdict is the verdict on a single result, of a target that is not configured; nil if it succeeded.
func (w *Watch) Verdict(o *Outcome) *cause.Verdict {
	if o.Result.Failure == nil {
		return nil
	}
	egress := w.controls.state()
	v, ok := cause.Judge(&cause.Evidence{
		Recent: []cause.Observation{cause.Observe(o.Result, o.Late, o.Ended)}, Host: w.sampler.Last(), Egress: cause.Egress{Known: egress.Known, Up: egress.Up},
	})
	if !ok {
		return nil
	}
	w.judged(o.Record, &v, nil)
	return &v
}
