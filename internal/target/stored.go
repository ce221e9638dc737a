package target

import (
	"time"

	"errno_exporter/internal/egress"
	"errno_exporter/internal/schedule"
	"errno_exporter/prober/result"
)

// perStored is what a stored outcome takes in memory, in bytes, without what it points to.
const perStored = 224

// stored is an outcome as its target stores it: with a summary of the result, which is packed where it can be.
type stored struct {
	outcome Outcome // with the summary, nil where it is packed
	packed  *result.Packed
	elapsed time.Duration // of the result
	dialed  bool          // the result has an address that was dialed
}

// store makes an outcome one that is stored.
func store(o *Outcome) *stored {
	s := &stored{outcome: *o, elapsed: o.Result.Elapsed, dialed: egress.Network(o.Result).IsValid()}
	if o.Callers && o.digest == nil {
		seen := o.seen()
		s.outcome.digest = &seen
	}
	s.keep(o.Result.Summary())
	return s
}

// keep makes a result the stored one.
func (s *stored) keep(r *result.Result) {
	s.outcome.Result = r
	if s.packed = r.Pack(); s.packed != nil {
		s.outcome.Result = nil
	}
}

// whole is the outcome; nil where none is stored.
func (s *stored) whole() *Outcome {
	if s == nil {
		return nil
	}
	if s.packed == nil {
		return &s.outcome
	}
	o := s.outcome
	o.Result = s.packed.Summary()
	return &o
}

// shortened is the outcome with a brief result.
func (s *stored) shortened() *stored {
	if s == nil {
		return nil
	}
	brief := *s
	brief.keep(s.whole().Result.Brief())
	return &brief
}

// failure is the result's.
func (s *stored) failure() *result.Failure {
	if s.packed != nil {
		return nil
	}
	return s.outcome.Result.Failure
}

// recent is the outcome as it may be passed on.
func (s *stored) recent(o *Outcome) schedule.Recent[*Outcome] {
	return schedule.Recent[*Outcome]{Outcome: s.whole, Start: o.Result.Start, Allowed: o.Allowed, For: o.audience()}
}

// size is about how many bytes of memory it takes.
func (s *stored) size() int {
	if s == nil {
		return 0
	}
	n := perStored
	if s.packed != nil {
		n += s.packed.Size()
	} else {
		n += s.outcome.Result.Size()
	}
	if d := s.outcome.digest; d != nil {
		n += d.Size()
	}
	return n
}
