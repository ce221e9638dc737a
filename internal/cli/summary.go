package cli

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"errno_exporter/internal/record"
	"errno_exporter/prober/result"
)

// Summary summarises many probes.
type Summary struct {
	Sent, Failed int
	reasons      map[string]int
	phases       map[result.Phase][]time.Duration // of attempts that completed the phase
	totals       []time.Duration                  // of probes that succeeded
}

// NewSummary returns an empty one.
func NewSummary() *Summary {
	return &Summary{reasons: map[string]int{}, phases: map[result.Phase][]time.Duration{}}
}

// Add counts a probe. An abandoned probe is left out: it shows nothing about the target.
func (s *Summary) Add(r *result.Result) {
	f := r.Failure
	if f != nil && f.Reason == result.Abandoned {
		return
	}
	s.Sent++
	if f != nil {
		s.Failed++
		s.reasons[strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", f.Phase, f.Reason, result.ErrnoName(f.Errno),
			f.Origin)), " ")]++
	} else {
		s.totals = append(s.totals, r.Elapsed)
	}
	for a := range r.Every() {
		for i := range a.Hops {
			for _, span := range a.Hops[i].Spans {
				if !span.Failed && span.Phase != result.Validate {
					s.phases[span.Phase] = append(s.phases[span.Phase], span.Duration)
				}
			}
		}
	}
}

// Summary prints what was sent, what failed and why, and how long the phases took.
func (p *Printer) Summary(target string, s *Summary) {
	share := 0.0
	if s.Sent > 0 {
		share = 100 * float64(s.Failed) / float64(s.Sent)
	}
	p.line("")
	p.line("%s: %d sent, %d failed (%.0f %%)", record.Printable(target), s.Sent, s.Failed, share)
	reasons := slices.SortedFunc(maps.Keys(s.reasons), func(a, b string) int {
		if d := s.reasons[b] - s.reasons[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, reason := range reasons {
		p.line("  %5d  %s", s.reasons[reason], p.paint(red, reason))
	}
	if len(s.phases) == 0 {
		return
	}
	p.line("  %-10s %10s %10s %10s %10s %10s", "", "min", "avg", "p50", "p95", "max")
	for _, row := range result.Phases {
		p.distribution(string(row.Phase), s.phases[row.Phase])
	}
	p.distribution("all", s.totals)
}

func (p *Printer) distribution(name string, all []time.Duration) {
	if len(all) == 0 {
		return
	}
	all = slices.Sorted(slices.Values(all))
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	p.line("  %-10s %10s %10s %10s %10s %10s", name, record.Short(all[0]), record.Short(sum/time.Duration(len(all))),
		record.Short(quantile(all, 0.5)), record.Short(quantile(all, 0.95)), record.Short(all[len(all)-1]))
}

// quantile is the smallest of sorted durations that at least a share of them does not exceed.
func quantile(sorted []time.Duration, share float64) time.Duration {
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}
