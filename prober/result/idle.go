package result

import (
	"time"
)

// IdleResult is what became of an idle connection: how it ended while it idled, or how it served the next request.
type IdleResult struct {
	Idle    time.Duration // how long it was idle when it was used again, or when its end came
	Used    bool          // it was used again; otherwise its end came before
	Attempt Attempt       // the request on it; of one that ended before, its hop is the connection's
	Failure *Failure      // nil if it served the request
	Ended   time.Time     // when this became known
}

// Rebase moves all times of an attempt that were counted from an earlier moment.
func (a *Attempt) Rebase(base time.Duration) {
	for i := range a.Hops {
		h := &a.Hops[i]
		for j := range h.Spans {
			h.Spans[j].Start -= base
		}
		if h.Wire == nil {
			continue
		}
		for j := range h.Wire.Events {
			h.Wire.Events[j].Start -= base
			h.Wire.Events[j].End -= base
		}
	}
}
