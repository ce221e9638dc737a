package watch

import (
	"context"
	"time"

	"errno_exporter/internal/target"
)

// What a person wants at once, of one configured target: its status, a probe however recent the last one is, and
// experiments whether the module has them made after failures or not.

// StatusOf is the status of the configured target of a name; false if there is none.
func (w *Watch) StatusOf(name string) (Status, bool) {
	if t := w.find(name); t != nil {
		return w.status(t, time.Now()), true
	}
	return Status{}, false
}

// find is the configured target of a name; nil if there is none.
func (w *Watch) find(name string) *target.Target {
	for _, t := range w.current() {
		if t.Config.Name == name {
			return t
		}
	}
	return nil
}

// ProbeNow is ProbeTarget without the target's min_interval.
func (w *Watch) ProbeNow(ctx context.Context, name string, budget time.Duration) (State, bool) {
	t := w.find(name)
	if t == nil {
		return State{}, false
	}
	now, configured := *t, *t.Config
	configured.MinInterval, now.Shared = 0, 0
	now.Config = &configured
	return w.probeOne(ctx, &now, budget), true
}

// DiagnoseNow is ProbeNow, and where the probe fails a round of experiments, within the module's max_per_hour. The
// channel is closed when the round has ended; it is nil where none was begun.
func (w *Watch) DiagnoseNow(ctx context.Context, name string, budget time.Duration) (State, <-chan struct{}) {
	state, known := w.ProbeNow(ctx, name, budget)
	t := w.find(name)
	o := state.Outcome
	if !known || t == nil || o == nil || o.Result.Failure == nil || o.Callers {
		return state, nil
	}
	return state, w.experiment(t, o)
}
