package watch

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/egress"
	"errno_exporter/internal/host"
	"errno_exporter/internal/target"
	"errno_exporter/prober/result"
)

// How a target's cause is determined: the evidence is collected by its probes, experiments are made after a failure
// where the module wants them, and the verdict is computed when it is read.

const (
	// rounds of experiments at a time, of all targets: when everything fails at once, a few show as much as all
	maxDiagnosing   = 10
	longestDiagnose = 3 * time.Minute
)

// diagnose makes experiments after a failure, where the module wants them.
func (w *Watch) diagnose(t *target.Target, o *target.Outcome) {
	if t.Config.Module.Diagnose.OnFailure {
		w.experiment(t, o)
	}
}

// experiment makes a round of experiments after a failure, beside everything else, and renews the verdict. The channel
// is closed when the round has ended. It is nil where none was begun: there is one, or there were enough.
func (w *Watch) experiment(t *target.Target, o *target.Outcome) <-chan struct{} {
	m := t.Config.Module
	select {
	case w.diagnosing <- struct{}{}:
	default:
		return nil
	}
	if !t.Evidence.Begin(m.Diagnose.MaxPerHour) {
		<-w.diagnosing
		return nil
	}
	done := make(chan struct{})
	started := w.background.Start(func() {
		defer close(done)
		defer func() { <-w.diagnosing }()
		ended := false
		defer func() {
			if !ended { // by a panic
				t.Evidence.End(o.Result, nil)
			}
		}()
		ctx, cancel := context.WithTimeout(w.life, longestDiagnose)
		defer cancel()
		w.references.CheckSince(o.Result.Start)
		experiments := w.prober.Diagnose(ctx, t.Probed(), o.Result, m)
		t.Evidence.End(o.Result, experiments)
		ended = true
		found := cause.Findings{Verdict: w.verdict(t), Experiments: experiments, Kernel: o.Kernel}
		w.publish(&Published{ID: o.Record, Target: t.Config.Name, Result: o.Result, Module: m, Reliable: o.Reliable,
			Late: o.Late > 0, Found: found, Later: true})
	})
	if !started { // the exporter is ending
		<-w.diagnosing
		return nil
	}
	return done
}

// verdict is the cause of a target's failures; nil where nothing failed recently.
func (w *Watch) verdict(t *target.Target) *cause.Verdict {
	e, fails := t.ForVerdict()
	if !fails {
		return nil
	}
	e.Egress, e.Host = w.egressFor(t), w.host(e.Recent)
	if v, ok := cause.Judge(&e); ok {
		return &v
	}
	return nil
}

// host is what this host is short of. Where a local port was missing they are counted again, of which the last record
// may know nothing.
func (w *Watch) host(recent []cause.Digest) host.Record {
	for _, d := range slices.Backward(recent) {
		if d.Failure != nil && d.Failure.Reason == result.LocalPortExhausted {
			return w.sampler.SampleSince(d.At)
		}
	}
	return w.sampler.Last()
}

// egressFor is the evidence for and against our outbound connectivity, for the failure of one target.
func (w *Watch) egressFor(t *target.Target) cause.Egress {
	a := w.Egress()
	seen, _ := t.Results.Seen(time.Now()) // of nothing before the first probe
	own := seen.Network
	e := cause.Egress{Known: a.Known, Up: a.Up, At: a.At, Impaired: w.impaired(own)}
	if a.Known {
		return e
	}
	e.Down, e.OutOfReach, e.Targets = a.Down(), a.OutOfReach, a.Targets
	e.Unreached, e.Others = a.Beside(own)
	return e
}

// observeShared is the sink of what probes show of our egress. Those of an overloaded exporter do not count, however
// exact they are: its host may lose packets.
func (w *Watch) observeShared(p *Published) {
	if !p.Later && !p.Late {
		w.shared.Observe(p.Result, p.Result.Start.Add(p.Result.Elapsed))
	}
}

// impaired is how many networks other than a target's own are affected, if so many are that our egress is at fault.
func (w *Watch) impaired(own netip.Prefix) int {
	if f := w.shared.Beside(own, time.Now()); f.Impaired() {
		return f.Affected
	}
	return 0
}

// reach keeps an assessment for a moment: a thousand verdicts need it at once.
type reach struct {
	mu       sync.Mutex // guards what follows
	assessed time.Time
	last     egress.Assessment // its maps are replaced, never written
}

const reachInterval = time.Second

// Egress is what is known of our own egress.
func (w *Watch) Egress() egress.Assessment {
	r := &w.reach
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.assessed) > reachInterval {
		var seen []egress.Seen
		targets := w.current()
		for _, t := range targets {
			if s, probed := t.Results.Seen(now); probed {
				seen = append(seen, s)
			}
		}
		r.last, r.assessed = egress.Assess(egress.State{}, len(targets), seen), now
	}
	a := r.last
	a.State = w.references.State()
	return a
}

// alone is the verdict on a single result by itself; nil if it succeeded.
func (w *Watch) alone(o *target.Outcome) *cause.Verdict {
	if o.Result.Failure == nil {
		return nil
	}
	state := w.references.State()
	recent := []cause.Digest{o.Digest()}
	v, ok := cause.Judge(&cause.Evidence{
		Recent: recent, Host: w.host(recent),
		Egress: cause.Egress{Known: state.Known, Up: state.Up, At: state.At,
			Impaired: w.impaired(egress.Network(o.Result))},
	})
	if !ok {
		return nil
	}
	return &v
}
