package watch

import (
	"context"
	"time"

	"errno_exporter/internal/schedule"
	"errno_exporter/internal/target"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// admitted is a probe that has its slot and its file descriptors.
type admitted struct {
	watch       *Watch
	module      *module.Module
	slot, files schedule.Need
	asked       time.Time // when the probe was wanted
}

// admit waits until a probe may start, at most half of its time: a probe that starts with less would blame its target
// for what is left. The context has a deadline.
func (w *Watch) admit(ctx context.Context, m *module.Module, by schedule.User) (*admitted, error) {
	a := &admitted{watch: w, module: m, asked: time.Now(),
		slot: schedule.Need{N: 1, By: by}, files: schedule.Need{N: schedule.DescriptorsOf(m), By: by}}
	deadline, _ := ctx.Deadline() // every caller sets one
	latest := a.asked.Add(deadline.Sub(a.asked) / 2)
	if !w.slots.Acquire(ctx, latest, a.slot) {
		w.own.NotStarted.Inc()
		return nil, ErrNotStarted
	}
	if !w.descriptors.Acquire(ctx, latest, a.files) {
		w.slots.Release(a.slot)
		w.own.NotStarted.Inc()
		return nil, ErrNotStarted
	}
	w.own.SlotWait.Add(time.Since(a.asked).Seconds())
	w.lag.Begin()
	return a, nil
}

// release gives back what the probe took.
func (a *admitted) release() {
	a.watch.lag.End()
	a.watch.descriptors.Release(a.files)
	a.watch.slots.Release(a.slot)
}

// probe probes. A target that the policy forbids is an error, and leaves nothing behind.
func (a *admitted) probe(ctx context.Context, t prober.Target) (*target.Outcome, error) {
	w := a.watch
	began := time.Now()
	r := w.prober.Probe(ctx, t, a.module)
	if denied := r.Denied(); denied != nil {
		w.own.Denied.Inc()
		return nil, denied
	}
	deadline, _ := ctx.Deadline()
	r.ShortenedBy(a.allowed(a.asked, deadline) - a.allowed(began, deadline) + r.Waited())
	o := &target.Outcome{Result: &r, Ended: time.Now(), Late: w.lag.Since(began)}
	o.Reliable = o.Late == 0
	return o, nil
}

// allowed is how long the probe may take if it starts at a time.
func (a *admitted) allowed(at, deadline time.Time) time.Duration {
	if left := deadline.Sub(at); a.module.Timeout <= 0 || left < a.module.Timeout {
		return left
	}
	return a.module.Timeout
}
