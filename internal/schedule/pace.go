package schedule

import "time"

// How the probes of a scrape are paced.
//
//   - Probes do not start all at once: a thousand TLS handshakes on a few CPUs would measure ourselves. Starts are
//     startEvery apart on average, or closer where all of them would not fit into half of the scrape's time (more than
//     half, if the modules' timeouts are short).
//   - Together of them start at once, and then none for as many times startEvery. A probe that runs alone finds cold
//     caches, and threads that sleep: with one, two, four, eight and sixteen together 1,000 probes over HTTP took 1.03,
//     0.84, 0.63, 0.49 and 0.48 s of CPU time. Four take less than a bare client does one by one (0.81 s), and more
//     would meet a host, and a CPU that computes handshakes, with more at once.
//   - All probes end a little before the scrape does, so that their results are in its answer.

// startEvery is the mean time between two starts, if the scrape leaves as much: at 200 starts a second the CPUs are
// mostly idle.
const startEvery = 5 * time.Millisecond

// Together is how many probes of a scrape start at the same time.
const Together = 4

// Reserve is what of a scrape's time is kept for putting its answer together.
func Reserve(budget time.Duration, targets int) time.Duration {
	return min(budget/10, 20*time.Millisecond+time.Duration(targets)*100*time.Microsecond)
}

// Interval is the mean time between two of n starts in a scrape, of which the slowest probe may take so long.
func Interval(n int, slowest, budget time.Duration) time.Duration {
	if n == 0 {
		return 0
	}
	window := max(budget/2, budget-slowest-Reserve(budget, n))
	return min(startEvery, window/time.Duration(n))
}

// Pacer lets starts pass: so many together, and so far apart that one passes an interval on average.
type Pacer struct {
	every    time.Duration
	together int
	next     time.Time // of the next ones that start together
	left     int       // of those that start now
}

// NewPacer returns a Pacer whose first starts are now.
func NewPacer(every time.Duration, together int) *Pacer {
	return &Pacer{every: every, together: together, next: time.Now()}
}

// Wait waits until the next start is due.
func (p *Pacer) Wait() {
	if p.left == 0 {
		time.Sleep(time.Until(p.next))
		p.next = p.next.Add(time.Duration(p.together) * p.every)
		p.left = p.together
	}
	p.left--
}
