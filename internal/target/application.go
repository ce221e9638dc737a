package target

import (
	"slices"
	"sync"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/observe"
)

const (
	maxApplicationEnds = 64
	applicationEndAge  = time.Hour
	maxSamples         = 30 // one a minute
	sampleInterval     = 55 * time.Second
)

// Application is what verdicts are made from of the application's own connections. The zero value is ready; it may be
// used by many goroutines.
type Application struct {
	mu      sync.Mutex // guards what follows
	ends    []observe.End
	samples []cause.ApplicationSample
}

// Ended notes the end of a connection where it is a failure.
func (a *Application) Ended(e *observe.End) {
	if !cause.FailedEnd(e) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.ends) == maxApplicationEnds {
		a.ends = append(a.ends[:0], a.ends[1:]...)
	}
	a.ends = append(a.ends, *e)
}

// Sample notes how many connections there are, at most once a minute.
func (a *Application) Sample(c *observe.Connections, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.samples); n > 0 && now.Sub(a.samples[n-1].At) < sampleInterval {
		return
	}
	if len(a.samples) == maxSamples {
		a.samples = append(a.samples[:0], a.samples[1:]...)
	}
	a.samples = append(a.samples, cause.ApplicationSample{At: now, Established: c.States["established"],
		CloseWait: c.States["close_wait"], TimeWait: c.States["time_wait"], OldestCloseWait: c.OldestCloseWait})
}

// Forget forgets everything: nothing is observed any more.
func (a *Application) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ends, a.samples = nil, nil
}

// evidence is what a verdict is made from.
func (a *Application) evidence(now time.Time) cause.Application {
	a.mu.Lock()
	defer a.mu.Unlock()
	return cause.Application{Ends: slices.Clone(a.recent(now)), Samples: slices.Clone(a.samples)}
}

// Failed are the connections of the last hour whose end is a failure.
func (a *Application) Failed(now time.Time) []observe.End {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.recent(now))
}

// recent are the ends of the last hour. The caller holds mu.
func (a *Application) recent(now time.Time) []observe.End {
	first := slices.IndexFunc(a.ends, func(e observe.End) bool { return now.Sub(e.At) <= applicationEndAge })
	if first < 0 {
		return nil
	}
	return a.ends[first:]
}
