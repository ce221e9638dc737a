package target

import (
	"slices"
	"sync"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/incident"
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
	sum     incident.Application  // of everything that was observed
	summed  *incident.Application // a copy of it; nil where it has changed since
}

// Ended notes the end of a connection, by itself where it is a failure.
func (a *Application) Ended(e *observe.End) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sum.Note(e)
	a.summed = nil
	if !cause.FailedEnd(e) {
		return
	}
	if len(a.ends) == maxApplicationEnds {
		a.ends = append(a.ends[:0], a.ends[1:]...)
	}
	a.ends = append(a.ends, *e)
}

// Sample notes for how long one has been in CLOSE_WAIT and, at most once a minute, how many connections there are.
func (a *Application) Sample(c *observe.Connections, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if oldest := c.OldestCloseWait.Seconds(); oldest != a.sum.OldestCloseWait {
		a.sum.OldestCloseWait, a.summed = oldest, nil
	}
	if n := len(a.samples); n > 0 && now.Sub(a.samples[n-1].At) < sampleInterval {
		return
	}
	if len(a.samples) == maxSamples {
		a.samples = append(a.samples[:0], a.samples[1:]...)
	}
	a.samples = append(a.samples, cause.ApplicationSample{At: now, Established: c.States["established"],
		CloseWait: c.States["close_wait"], TimeWait: c.States["time_wait"], OldestCloseWait: c.OldestCloseWait})
}

// total is what has become of the connections since the first time that they were observed. It is not changed.
func (a *Application) total(now time.Time) *incident.Application {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sum.Since.IsZero() {
		a.sum.Since = now
	}
	if a.summed == nil {
		a.summed = a.sum.Clone() // the targets that share it are probed in the same moment
	}
	return a.summed
}

// Forget forgets everything: nothing is observed any more.
func (a *Application) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ends, a.samples, a.sum, a.summed = nil, nil, incident.Application{}, nil
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

// taken is what a target has taken of what it shares with those of the same host and port.
type taken struct {
	mu    sync.Mutex // guards what follows
	total *incident.Application
	at    time.Time
}

// TakeApplication is what has become of the application's connections since it was taken before. The first time that is
// nothing.
func (t *Target) TakeApplication(now time.Time) *incident.Application {
	total := t.Application.total(now)
	t.taken.mu.Lock()
	defer t.taken.mu.Unlock()
	a := incident.Application{Since: now, OldestCloseWait: total.OldestCloseWait}
	if t.taken.total != nil {
		a = *total.After(t.taken.total)
		a.Since = t.taken.at
	}
	t.taken.total, t.taken.at = total, now
	return &a
}
