package watch

import (
	"iter"
	"sync"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
)

// The counters and timelines of configured targets go on after a restart: they are saved where they have changed, the
// less often the more targets there are, and when the Watch is closed. After a process was killed counters begin at 0,
// and timelines are those of at most longestSave ago. Counters that went back a little would count in full: Prometheus
// takes any lower value for a reset to 0, and adds all of it.

// Saved keeps values by key across restarts.
type Saved interface {
	Totals(key string) []byte                          // nil for none
	SaveTotals(values iter.Seq2[string, []byte]) error // returns when they are stored
}

// The time between two saves: a save of a target takes some 25 µs of CPU time, which is to stay a small part of what
// its probes take.
const (
	savePerTarget = 300 * time.Millisecond
	shortestSave  = 15 * time.Second
	longestSave   = 5 * time.Minute
)

// saveInterval is the time until so many targets are saved again.
func saveInterval(targets int) time.Duration {
	return min(max(time.Duration(targets)*savePerTarget, shortestSave), longestSave)
}

// closed is the key of a mark, which is "1" when the counters are the last ones of a Watch that was closed, and empty
// while one runs. It is not there before the first save. A target's key is longer.
const closed = "closed"

// saved is what is known of what was saved.
type saved struct {
	in       Saved                 // nil for none
	whole    bool                  // whether the counters that were saved are the last ones, and go on
	mu       sync.Mutex            // of a save: one that is older must not be stored after a newer one
	attempts map[target.Key]uint64 // that were saved; guarded by mu
}

// open takes what was saved: until it is closed nothing saved is the last.
func (s *saved) open(in Saved) {
	if s.in = in; in == nil {
		return
	}
	mark := in.Totals(closed)
	s.whole = mark == nil || len(mark) > 0
	s.mark("")
}

// mark stores the mark. Where that fails, which is logged, nothing else is stored either.
func (s *saved) mark(value string) {
	_ = s.in.SaveTotals(func(yield func(string, []byte) bool) { yield(closed, []byte(value)) })
}

// known is what is known of a target whose counters may have been saved. What cannot be decoded begins again.
func (s *saved) known(key target.Key) *target.Known {
	k := target.NewKnown()
	if s.in == nil {
		return k
	}
	if body := s.in.Totals(string(key[:])); body != nil {
		if totals, timeline, err := state.Decode(body, time.Now()); err == nil {
			k.Timeline = timeline
			if s.whole {
				k.Totals = totals
			}
		}
	}
	return k
}

// save saves until the Watch is closed.
func (w *Watch) save() {
	for {
		timer := time.NewTimer(saveInterval(len(w.current())))
		select {
		case <-w.life.Done():
			timer.Stop()
			return
		case <-timer.C:
			_ = w.saveTotals() // it is logged
		}
	}
}

// saveLast saves what has changed, and says that nothing comes after it. Where it cannot be saved counters begin again.
func (w *Watch) saveLast() {
	if w.saved.in != nil && w.saveTotals() == nil {
		w.saved.mark("1")
	}
}

// saveLeaving saves what has changed where a target is none of a configuration: it may come back.
func (w *Watch) saveLeaving(c *config.Config) {
	stays := make(map[target.Key]bool, len(c.Targets))
	for _, configured := range c.Targets {
		stays[(&target.Target{Config: configured}).Key()] = true
	}
	for _, t := range w.current() {
		if !stays[t.Key()] {
			_ = w.saveTotals() // it is logged
			return
		}
	}
}

// saveTotals saves what has changed, with the mark: that is as old as the newest of them.
func (w *Watch) saveTotals() error {
	if w.saved.in == nil {
		return nil
	}
	w.saved.mu.Lock()
	defer w.saved.mu.Unlock()
	before, now := w.saved.attempts, map[target.Key]uint64{}
	var body []byte
	marked := false
	err := w.saved.in.SaveTotals(func(yield func(string, []byte) bool) {
		for _, t := range w.current() {
			key := t.Key()
			n := t.Totals.Changes()
			now[key] = n
			if n == 0 || n == before[key] {
				continue
			}
			if !marked && !yield(closed, nil) {
				return
			}
			marked = true
			if body = state.Encode(body[:0], t.Totals, t.Timeline); !yield(string(key[:]), body) {
				return
			}
		}
	})
	if err == nil { // else all are saved again, which is logged
		w.saved.attempts = now
	}
	return err
}
