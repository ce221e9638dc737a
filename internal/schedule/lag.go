package schedule

import (
	"runtime"
	"sync"
	"time"

	"errno_exporter/guard"
)

// How the exporter knows that it is overloaded.
//
//   - While probes run, a goroutine sleeps for lagInterval again and again, and then waits behind all that are ready to
//     run. By as much as it oversleeps, every other goroutine that was due then was late too: those that read a
//     response and take the time afterwards.
//   - A probe is unreliable when during it this delay was longer than lagLimit. Its durations are then too long by
//     about as much, and its target is not at fault.
//   - The runtime's own histogram, /sched/latencies of runtime/metrics, cannot take its place: it has the time that
//     goroutines were runnable while the process ran. Where the kernel does not run the process at all (a CPU quota, a
//     busy neighbour) it shows nothing: beside a real-time process that took the CPU for 60 ms four times a second, the
//     goroutine was late 21 times, by up to 78 ms, and the histogram had no value above 1 µs.

const (
	lagInterval = 5 * time.Millisecond
	lagLimit    = 10 * time.Millisecond
)

// Delays takes how late each measurement was, in seconds.
type Delays interface{ Observe(seconds float64) }

// Lag measures how late goroutines get a CPU.
type Lag struct {
	delays Delays
	report guard.Report // is called with panics

	mu        sync.Mutex // guards what follows
	running   int        // probes
	measuring bool       // there is a measuring goroutine
	woken     time.Time  // when it last woke
	late      []delayed  // the last times that it woke too late, the newest last
}

// delayed is one time that a goroutine got its CPU late.
type delayed struct {
	at time.Time
	by time.Duration
}

// maxLate bounds the times that are remembered.
const maxLate = 64

// NewLag returns a Lag that measures nothing yet. It reports panics of its goroutine.
func NewLag(delays Delays, report guard.Report) *Lag { return &Lag{delays: delays, report: report} }

// Begin is called when a probe begins: measuring goes on until the last one has ended, and a moment longer, for the
// next one.
func (l *Lag) Begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running++
	if !l.measuring {
		l.measuring, l.woken = true, time.Now()
		guard.Report(l.panicked).Go(l.measure)
	}
}

// End is called when it has ended.
func (l *Lag) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
}

// panicked ends measuring until the next probe begins, and reports why.
func (l *Lag) panicked(p *guard.Panic) {
	l.mu.Lock()
	l.measuring = false
	l.mu.Unlock()
	l.report(p)
}

func (l *Lag) measure() {
	for {
		slept := time.Now()
		time.Sleep(lagInterval)
		// a timer's goroutine is put before all others: what they wait for is seen from their end of the queue
		runtime.Gosched()
		if !l.Woke(slept, time.Now()) {
			return
		}
	}
}

// Woke notes that the measuring goroutine slept from one time to another, and reports whether it is to go on.
func (l *Lag) Woke(slept, woken time.Time) bool {
	delay := max(0, woken.Sub(slept)-lagInterval)
	l.delays.Observe(delay.Seconds())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.woken = woken
	if delay > lagLimit {
		if len(l.late) == maxLate {
			l.late = append(l.late[:0], l.late[1:]...)
		}
		l.late = append(l.late, delayed{woken, delay})
	}
	l.measuring = l.running > 0
	return l.measuring
}

// Since is by how much goroutines were late at the worst moment since a time: the measuring one woke too late, or
// should have woken by now. It is 0 where that was within the limit.
func (l *Lag) Since(began time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	worst := time.Duration(0)
	if due := time.Since(l.woken) - lagInterval; due > lagLimit {
		worst = due
	}
	for _, d := range l.late {
		if d.at.After(began) {
			worst = max(worst, d.by)
		}
	}
	return worst
}
