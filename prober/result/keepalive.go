package result

import (
	"time"
)

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
