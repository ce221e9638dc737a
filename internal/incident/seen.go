package incident

import (
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// Seen is what an incident is made of: of one probe of a configured target, or what was found out later about its
// failure.
type Seen struct {
	ID      ulid.ULID // of the record
	Target  string
	Module  string
	URL     string
	At      time.Time // when the probe began; for what was found out later, when that was
	Failure *Kind     // nil for a success; its Count, Record and times are set by Next

	Addresses   []Address // attempts at each
	Unreliable  bool      // the exporter was late, and the failure or its durations may be its own
	Verdict     *cause.Verdict
	Experiments []Experiment
	Kernel      *counters.Changes
	Application *Application // since the probe before this one; nil where it is not observed
}

// Of is what is seen of a result and the findings about it; who made the probe adds its ID, Target and Unreliable.
func Of(r *result.Result, found cause.Findings) Seen {
	s := Seen{Module: r.Module, URL: cut(r.URL), At: r.Start, Verdict: bounded(found.Verdict),
		Kernel: boundedCounters(found.Kernel.Changes())}
	if f := r.Failure; f != nil {
		s.Failure = &Kind{Phase: f.Phase, Reason: f.Reason, Errno: result.ErrnoName(f.Errno), Origin: f.Origin,
			Sentence: cut(f.Sentence())}
		if h := r.Last().LastHop(); h.Response != nil {
			s.Failure.Status = h.Response.Status
		}
	}
	for a := range r.Every() {
		s.note(a)
	}
	for i := range found.Experiments[:min(len(found.Experiments), maxExperiments)] {
		e := &found.Experiments[i]
		s.Experiments = append(s.Experiments, Experiment{e.Kind, cut(cause.ExperimentText(e))})
	}
	return s
}

// note notes at which address an attempt was made, and whether it failed.
func (s *Seen) note(a *result.Attempt) {
	addr := a.LastHop().Addr
	if !addr.IsValid() {
		return
	}
	text := addr.String()
	if addr.Port() == 0 {
		text = addr.Addr().String()
	}
	at := slices.IndexFunc(s.Addresses, func(known Address) bool { return known.Address == text })
	if at < 0 {
		at = len(s.Addresses)
		s.Addresses = append(s.Addresses, Address{Address: text})
	}
	if a.Failure != nil {
		s.Addresses[at].Failed++
	} else {
		s.Addresses[at].Succeeded++
	}
}

// cut is a text of an incident, which servers may have a say in.
func cut(text string) string { return result.Cut(text, maxText) }

// bounded is a verdict as incidents have it.
func bounded(v *cause.Verdict) *cause.Verdict {
	if v == nil {
		return nil
	}
	b := *v
	b.Evidence, b.Next = cutAll(v.Evidence), cutAll(v.Next)
	b.Open = slices.Clone(v.Open[:min(len(v.Open), maxSentences)])
	b.RuledOut = slices.Clone(v.RuledOut[:min(len(v.RuledOut), maxSentences)])
	for i := range b.RuledOut {
		b.RuledOut[i].By = cut(b.RuledOut[i].By)
	}
	return &b
}

func cutAll(texts []string) []string {
	texts = slices.Clone(texts[:min(len(texts), maxSentences)])
	for i := range texts {
		texts[i] = cut(texts[i])
	}
	return texts
}

func boundedCounters(c *counters.Changes) *counters.Changes {
	if c == nil || len(c.Changed) <= maxCounters {
		return c
	}
	b := *c
	b.Changed = b.Changed[:maxCounters]
	return &b
}
