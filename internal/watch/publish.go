package watch

import (
	"errno_exporter/internal/cause"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/target"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How a probe's outcome leaves.
//
//   - When a probe has ended its verdict is computed first. Then the outcome goes once through the sinks in their
//     order, and after that to whoever waits for it. Nothing comes back from a sink.
//   - Experiments after a failure end later: what they showed is published like an outcome, under the same ID.

// Published is one probe that ended, with its verdict, or the findings of the experiments that were made after it.
type Published struct {
	ID       uint64 // counts the probes up from 1
	Result   *result.Result
	Module   *module.Module
	Reliable bool           // the exporter was not overloaded during the probe
	Found    cause.Findings // nothing for a success
	Later    bool           // the probe was published before
}

// Sink takes what is published. It may be called by many goroutines, and delays the probe's answer.
type Sink func(*Published)

// publish sends a value through the sinks.
func (w *Watch) publish(p *Published) {
	for _, sink := range w.sinks {
		sink(p)
	}
}

// publishOutcome sends an outcome with its verdict through the sinks.
func (w *Watch) publishOutcome(o *target.Outcome, m *module.Module, v *cause.Verdict) {
	w.publish(&Published{ID: o.Record, Result: o.Result, Module: m, Reliable: o.Reliable,
		Found: cause.Findings{Verdict: v}})
}

// count is the sink of the exporter's own counters.
func count(own *metrics.Own) Sink {
	return func(p *Published) {
		if p.Later {
			own.Experiments.Add(float64(len(p.Found.Experiments)))
			return
		}
		own.Probes.Inc()
		own.HandshakeWait.Add(p.Result.Waited().Seconds())
		if !p.Reliable {
			own.Unreliable.Inc()
		}
		if p.Result.Panicked() != nil {
			own.Panics.Inc()
		}
	}
}
