package watch

import (
	"time"

	"errno_exporter/guard"
	"errno_exporter/internal/target"
)

// Rounds are for those who have no Prometheus: the exporter probes all targets by itself at an interval.
//
//   - A round is what a scrape is, without an answer. The next one begins an interval later, or when the last one has
//     ended: there is never more than one.
//   - Scrapes share the result of the last round, as within min_interval. So a Prometheus beside the rounds does not
//     double the traffic. "Probe now" probes.

// The time of a round: its interval, within these bounds.
const (
	leastRound   = 10 * time.Second
	longestRound = 2 * time.Minute // as a scrape's
)

// sharedRounds is for how many intervals the result of a round answers scrapes: starts within a round are paced, so
// that the next result may come later than an interval after the last.
const sharedRounds = 2

// Every probes all targets at an interval until Close, beginning at once. It is called once, after the first Apply.
func (w *Watch) Every(interval time.Duration) {
	w.mu.Lock()
	w.rounds = interval
	for _, t := range w.targets {
		t.Shared = sharedRounds * interval
	}
	w.mu.Unlock()
	w.background.Start(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			if p := guard.Try(w.round); p != nil {
				w.background.Running.Report(p)
			}
			select {
			case <-ticker.C:
			case <-w.life.Done():
				return
			}
		}
	})
}

// Interval is the interval of rounds; 0 where there are none.
func (w *Watch) Interval() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rounds
}

// round probes all targets, except those whose own min_interval has not passed.
func (w *Watch) round() {
	var own []*target.Target
	for _, t := range w.current() {
		probed := *t
		probed.Shared = 0
		own = append(own, &probed)
	}
	w.await(w.life, own, min(max(w.Interval(), leastRound), longestRound))
}
