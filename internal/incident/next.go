package incident

import (
	"slices"
	"time"

	"errno_exporter/internal/cause"
)

// Rule is when an incident ends.
type Rule struct {
	Successes int // in a row that end it, at least 1
}

// Next is what becomes of a target's open incident, nil if it has none, when a probe is seen: the one that is over by
// it, and the one that lasts, each nil if there is none. What was open is not changed.
func (r Rule) Next(open *Incident, s *Seen) (over, lasts *Incident) {
	if open != nil && open.lost(s) {
		over, open = open.Lost(), nil
	}
	switch {
	case s.Failure == nil && open == nil:
		return over, nil
	case s.Failure != nil && open == nil:
		return over, begun(s)
	case s.Failure != nil:
		return nil, open.failed(s)
	}
	next := open.succeeded(s)
	if next.Recovering.Successes >= r.Successes {
		return next.ended(next.Recovering.Since, Recovered), nil
	}
	return nil, next
}

// lost reports whether the incident cannot have lasted until a probe.
func (i *Incident) lost(s *Seen) bool {
	return s.At.Sub(i.LastProbe) > longestGap || s.Module != i.Module || s.URL != i.URL
}

// Lost is an open incident whose target is no longer probed. One that had succeeded since has recovered.
func (i *Incident) Lost() *Incident {
	if i.Recovering != nil {
		return i.ended(i.Recovering.Since, Recovered)
	}
	return i.ended(i.LastFailure, Unobserved)
}

// ended is the incident when it is over.
func (i *Incident) ended(at time.Time, why Ending) *Incident {
	next := *i
	next.End, next.Ended, next.Recovering = at, why, nil
	if at.Before(i.Begin) { // the clock was set back
		next.End = i.Begin
	}
	return &next
}

// begun is an incident of its first failure.
func begun(s *Seen) *Incident {
	i := &Incident{Schema: Schema, ID: s.ID, Target: s.Target, Module: s.Module, URL: s.URL, Begin: s.At, First: s.ID}
	i = i.failed(s)
	if a := i.Application; a != nil && s.At.Sub(a.Since) > longestGap {
		i.Application = &Application{Since: s.At} // nobody knows how much of it was before the target failed
	}
	return i
}

// failed is the incident after a failure.
func (i *Incident) failed(s *Seen) *Incident {
	next := *i
	next.Attempts++
	if i.Recovering != nil {
		next.Attempts += i.Recovering.Successes
		next.Application = i.Application.and(i.Recovering.Application)
		next.Recovering = nil
	}
	next.Application = next.Application.and(s.Application)
	next.Failed++
	if s.Unreliable {
		next.Unreliable++
	}
	next.LastProbe = s.At
	if s.ID.Compare(i.Last) > 0 { // probes of one target may overlap
		next.Last, next.LastFailure = s.ID, s.At
	}
	next.addKind(s)
	next.addAddresses(s)
	next.learn(s)
	return &next
}

// succeeded is the incident after a success.
func (i *Incident) succeeded(s *Seen) *Incident {
	next := *i
	next.LastProbe = s.At
	if r := i.Recovering; r != nil {
		next.Recovering = &Recovering{r.Since, r.Successes + 1, r.Application.and(s.Application)}
	} else {
		next.Recovering = &Recovering{Since: s.At, Successes: 1}
		next.Application = i.Application.and(s.Application)
	}
	next.addAddresses(s)
	return &next
}

// Learned is the incident with what was found out later about one of its failures.
func (i *Incident) Learned(s *Seen) *Incident {
	next := *i
	next.learn(s)
	return &next
}

// addKind counts a failure. The incident is being made.
func (i *Incident) addKind(s *Seen) {
	f := s.Failure
	at := slices.IndexFunc(i.Kinds, func(k Kind) bool {
		return k.Phase == f.Phase && k.Reason == f.Reason && k.Errno == f.Errno && k.Origin == f.Origin &&
			k.Status == f.Status
	})
	if at < 0 {
		if len(i.Kinds) == maxKinds {
			i.OtherKinds++
			return
		}
		k := *f
		k.Count, k.Record, k.First, k.Last = 1, s.ID, s.At, s.At
		i.Kinds = append(slices.Clip(i.Kinds), k)
		return
	}
	i.Kinds = slices.Clone(i.Kinds)
	i.Kinds[at].Count++
	i.Kinds[at].Last = s.At
}

// addAddresses counts attempts. The incident is being made.
func (i *Incident) addAddresses(s *Seen) {
	if len(s.Addresses) == 0 {
		return
	}
	i.Addresses = slices.Clone(i.Addresses)
	for _, seen := range s.Addresses {
		at := slices.IndexFunc(i.Addresses, func(known Address) bool { return known.Address == seen.Address })
		if at < 0 && len(i.Addresses) == maxAddresses {
			i.OtherAddresses += seen.Failed + seen.Succeeded
			continue
		}
		if at < 0 {
			at = len(i.Addresses)
			i.Addresses = append(i.Addresses, Address{Address: seen.Address})
		}
		i.Addresses[at].Failed += seen.Failed
		i.Addresses[at].Succeeded += seen.Succeeded
	}
}

// learn notes a verdict, experiments and the kernel's counters. The incident is being made.
func (i *Incident) learn(s *Seen) {
	if len(s.Experiments) > 0 {
		i.Experiments = s.Experiments
	}
	if s.Kernel != nil {
		i.Kernel = s.Kernel
	}
	v := s.Verdict
	if v == nil {
		return
	}
	if i.Verdict == nil || surer(v, i.Verdict) >= 0 {
		i.Verdict = v
	}
	j := Judgement{s.At, v.Cause, v.Party, v.Confidence}
	if n := len(i.Judgements); n > 0 {
		last := i.Judgements[n-1]
		if last.Cause == j.Cause && last.Party == j.Party && last.Confidence == j.Confidence {
			return
		}
	}
	i.Judged++
	i.Judgements = append(slices.Clip(i.Judgements), j)
	if len(i.Judgements) > maxJudgements {
		i.Judgements = slices.Delete(i.Judgements, keptJudgements, keptJudgements+1)
	}
}

// surer compares how sure two verdicts are: positive if the first is surer.
func surer(a, b *cause.Verdict) int {
	order := []cause.Confidence{cause.Low, cause.Medium, cause.High}
	return slices.Index(order, a.Confidence) - slices.Index(order, b.Confidence)
}
