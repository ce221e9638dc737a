package incidents

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// What tells that programs of this machine waited for a CPU: one that sleeps wakes up late, or no CPU was idle for a
// second.
const (
	lateAt   = 250 * time.Millisecond
	idleLess = 0.10 // of all CPUs' time
	bucket   = time.Second
)

// witness records while it runs in which seconds the machine had no CPU time to spare.
type witness struct {
	mu      sync.Mutex // guards starved
	began   time.Time
	starved map[int]bool // by seconds since it began
}

// watchCPU runs a witness until the test ends.
func watchCPU(t *testing.T) *witness {
	w := &witness{began: time.Now(), starved: map[int]bool{}}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		w.watch(done)
	}()
	t.Cleanup(func() {
		close(done)
		<-ended
	})
	return w
}

func (w *witness) watch(done chan struct{}) {
	const pause = 20 * time.Millisecond
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	last, since := time.Now(), time.Now()
	idle, all := cpuTimes()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		now := time.Now()
		if now.Sub(last) > lateAt+pause {
			w.mark(last, now)
		}
		last = now
		if now.Sub(since) < bucket {
			continue
		}
		nowIdle, nowAll := cpuTimes()
		if nowIdle-idle < idleLess*(nowAll-all) {
			w.mark(since, now)
		}
		since, idle, all = now, nowIdle, nowAll
	}
}

// mark says that there was no CPU time to spare between two times.
func (w *witness) mark(from, to time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := w.second(from); n <= w.second(to); n++ {
		w.starved[n] = true
	}
}

func (w *witness) second(at time.Time) int { return int(at.Sub(w.began) / bucket) }

// saw reports whether there was no CPU time to spare at some moment between two times.
func (w *witness) saw(from, to time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := w.second(from); n <= w.second(to); n++ {
		if w.starved[n] {
			return true
		}
	}
	return false
}

// share is the part of the seconds so far without CPU time to spare.
func (w *witness) share() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("%d of %d seconds", len(w.starved), w.second(time.Now())+1)
}

// cpuTimes are the times that all CPUs were idle, and all that they had, in ticks: proc_stat(5).
func cpuTimes() (idle, all float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0 // a machine that hides it has no idle time: nothing is excused by it, for 0 is not less than 0
	}
	var user, nice, system, iowait, irq, softirq, steal float64
	_, _ = fmt.Sscanf(string(text), "cpu %f %f %f %f %f %f %f %f", &user, &nice, &system, &idle, &iowait, &irq,
		&softirq, &steal)
	return idle + iowait, user + nice + system + idle + iowait + irq + softirq + steal
}
