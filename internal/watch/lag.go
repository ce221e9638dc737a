package watch

import (
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// How the exporter knows that it is late.
//
//   - While probes run, a goroutine sleeps for lagInterval again and again, and then waits behind all that are ready to run. What it
//     oversleeps, every other goroutine that was due then waited for a processor too: those that read a response, and look at the
//     clock after.
//   - A probe is unreliable when during it this delay was longer than lagLimit. Its durations are then too long by about as much, and
//     its target is not to blame.

const (
	lagInterval = 5 * time.Millisecond
	lagLimit    = 10 * time.Millisecond
)

// lag measures how late goroutines get a processor.
type lag struct {
	delays prometheus.Observer

	mu      sync.Mutex // guards what follows
	running int        // probes
	stop    chan struct{}
	woken   time.Time // when the measuring goroutine last woke
	late    time.Time // when it last woke too late
}

func newLag(delays prometheus.Observer) *lag { return &lag{delays: delays} }

// begin is called when a probe begins: measuring goes on until the last one has ended.
func (l *lag) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running++
	if l.running == 1 {
		l.stop = make(chan struct{})
		l.woken = time.Now()
		go l.measure(l.stop)
	}
}

func (l *lag) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	if l.running == 0 {
		close(l.stop)
	}
}

func (l *lag) measure(stop chan struct{}) {
	timer := time.NewTimer(lagInterval)
	defer timer.Stop()
	for {
		slept := time.Now()
		select {
		case <-stop:
			return
		case <-timer.C:
			runtime.Gosched() // a timer's goroutine is put before all others: what they wait for is seen from their end of the queue
			l.woke(slept, time.Now())
		}
		timer.Reset(lagInterval)
	}
}

// woke notes that the measuring goroutine slept from one time to another.
func (l *lag) woke(slept, woken time.Time) {
	delay := max(0, woken.Sub(slept)-lagInterval)
	l.delays.Observe(delay.Seconds())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.woken = woken
	if delay > lagLimit {
		l.late = woken
	}
}

// since reports whether goroutines were late at some moment since a time: the measuring one woke too late, or should have woken by now.
func (l *lag) since(began time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.late.After(began) || time.Since(l.woken) > lagInterval+lagLimit
}
