package watch

import (
	"iter"
	"time"

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

// closed is the key of a mark that the counters are the last ones of a Watch that was closed. A target's key is longer.
const closed = "closed"

// saved is what is known of what was saved.
type saved struct {
	in       Saved                 // nil for none
	whole    bool                  // whether the counters that were saved are the last ones, and go on
	attempts map[target.Key]uint64 // that were saved; the goroutine's that saves
}

// open takes what was saved: until it is closed nothing saved is the last.
func (s *saved) open(in Saved) {
	if s.in = in; in == nil {
		return
	}
	s.whole = len(in.Totals(closed)) > 0
	s.mark("")
}

// mark stores the mark. Where that fails, which is logged, nothing else is stored either.
func (s *saved) mark(value string) {
	_ = s.in.SaveTotals(func(yield func(string, []byte) bool) { yield(closed, []byte(value)) })
}

// close says that what has been saved is the last.
func (s *saved) close() {
	if s.in != nil {
		s.mark("1")
	}
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
			w.saveTotals()
		}
	}
}

// saveTotals saves what has changed.
func (w *Watch) saveTotals() {
	if w.saved.in == nil {
		return
	}
	before, now := w.saved.attempts, map[target.Key]uint64{}
	var body []byte
	err := w.saved.in.SaveTotals(func(yield func(string, []byte) bool) {
		for _, t := range w.current() {
			key := t.Key()
			n := t.Totals.Changes()
			now[key] = n
			if n == 0 || n == before[key] {
				continue
			}
			if body = state.Encode(body[:0], t.Totals, t.Timeline); !yield(string(key[:]), body) {
				return
			}
		}
	})
	if err == nil { // else all are saved again, which is logged
		w.saved.attempts = now
	}
}
