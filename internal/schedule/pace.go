package schedule

import "time"

// How the probes of a scrape are paced.
//
//   - Probes do not start all at once: a thousand TLS handshakes on a few CPUs would measure ourselves. Starts are
//     startEvery apart, or closer where all of them would not fit into half of the scrape's time (more than half, if
//     the modules' timeouts are short).
//   - All probes end a little before the scrape does, so that their results are in its answer.

// startEvery is the time between two starts, if the scrape leaves as much: at 200 starts a second the CPUs are mostly
// idle.
const startEvery = 5 * time.Millisecond

// Reserve is what of a scrape's time is kept for putting its answer together.
func Reserve(budget time.Duration, targets int) time.Duration {
	return min(budget/10, 20*time.Millisecond+time.Duration(targets)*100*time.Microsecond)
}

// Interval is the time between two of n starts in a scrape, of which the slowest probe may take so long.
func Interval(n int, slowest, budget time.Duration) time.Duration {
	if n == 0 {
		return 0
	}
	window := max(budget/2, budget-slowest-Reserve(budget, n))
	return min(startEvery, window/time.Duration(n))
}

// Pacer lets one start after the other pass.
type Pacer struct {
	every time.Duration
	next  time.Time
}

// NewPacer returns a Pacer whose first start is now.
func NewPacer(every time.Duration) *Pacer { return &Pacer{every, time.Now()} }

// Wait waits until the next start is due.
func (p *Pacer) Wait() {
	time.Sleep(time.Until(p.next))
	p.next = p.next.Add(p.every)
}
