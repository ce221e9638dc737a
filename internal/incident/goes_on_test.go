package incident

import (
	"testing"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// What of an incident is worth storing at once: rows are what is seen after two failures that were alike.
func TestGoesOn(t *testing.T) {
	verdict := func(c cause.Cause, evidence string) *cause.Verdict {
		return &cause.Verdict{Cause: c, Party: cause.Server, Confidence: cause.High, Evidence: []string{evidence}}
	}
	for _, row := range []struct {
		name string
		see  func(*Seen)
		want bool
	}{
		{"one more of the same", func(*Seen) {}, true},
		{"in other words", func(s *Seen) { s.Verdict = verdict(cause.ServerAborts, "three times") }, true},
		{"newer counters", func(s *Seen) { s.Kernel = new(counters.Changes) }, true},
		{"another verdict", func(s *Seen) { s.Verdict = verdict(cause.Unknown, "") }, false},
		{"another failure", func(s *Seen) { s.Failure = seen(3, 3, 'T').Failure }, false},
		{"another address", func(s *Seen) { s.Addresses = []Address{{Address: "192.0.2.9:80", Failed: 1}} }, false},
		{"another experiment", func(s *Seen) { s.Experiments = []Experiment{{result.Again, "again"}} }, false},
		{"a success", func(s *Seen) { s.Failure = nil }, false},
	} {
		rule := Rule{2}
		var open *Incident
		next := func(n int, see func(*Seen)) (before, now *Incident) {
			s := seen(n, n, 'R')
			s.Verdict, s.Kernel = verdict(cause.ServerAborts, "twice"), new(counters.Changes)
			see(s)
			before = open
			_, open = rule.Next(before, s)
			return before, open
		}
		if before, now := next(1, func(*Seen) {}); now.GoesOn(before) {
			t.Errorf("%s: an incident goes on that begins", row.name)
		}
		next(2, func(*Seen) {})
		if before, now := next(3, row.see); now.GoesOn(before) != row.want {
			t.Errorf("%s: it goes on: %t, want %t", row.name, !row.want, row.want)
		}
	}
	open := begun(seen(1, 1, 'R'))
	if open.ended(at(2), Recovered).GoesOn(open) {
		t.Error("an incident goes on that is over")
	}
}
