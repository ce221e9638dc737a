package target

import (
	"net/netip"
	"sync"
	"time"

	"errno_exporter/internal/egress"
	"errno_exporter/internal/schedule"
)

// networkAge is how long the network that a target was last dialed in counts.
const networkAge = 24 * time.Hour

// Results are the last results of a target. The zero value is ready; it may be used by many goroutines.
type Results struct {
	mu      sync.Mutex   // guards what follows
	last    *stored      // of the last probe that counted; nil before the first
	short   *stored      // of the last one after it that did not; nil if there is none
	network netip.Prefix // that was last dialed; zero for none
	dialed  time.Time    // when the probe ended that dialed it
}

// Note makes an outcome the last one, and returns what may be passed on to callers that come within min_interval.
func (r *Results) Note(o *Outcome) []schedule.Recent[*Outcome] {
	s := store(o)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !o.Callers {
		r.last, r.short = s, nil
		if s.dialed {
			r.network, r.dialed = egress.Network(o.Result), o.Ended
		}
		return []schedule.Recent[*Outcome]{s.recent(o)}
	}
	r.short = s
	if r.last == nil {
		return []schedule.Recent[*Outcome]{s.recent(o)}
	}
	return []schedule.Recent[*Outcome]{r.last.recent(r.last.whole()), s.recent(o)}
}

// Latest is the last outcome that counted; nil before the first.
func (r *Results) Latest() *Outcome { return r.latest().whole() }

func (r *Results) latest() *stored {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// Expected is how long the target's probe may take, judging by the last one; without one it may take longest.
func (r *Results) Expected() time.Duration {
	if last := r.latest(); last != nil {
		return last.elapsed
	}
	return longest
}

const longest = time.Duration(1<<63 - 1)

// Seen is what the last result shows of our egress; false before the first.
func (r *Results) Seen(now time.Time) (egress.Seen, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		return egress.Seen{}, false
	}
	s := egress.Seen{Failure: r.last.failure()}
	if r.last.dialed {
		s.Network = r.network
	}
	if now.Sub(r.dialed) <= networkAge {
		s.Dialed = r.network
	}
	return s, true
}

// Size is about how many bytes of memory the last results take.
func (r *Results) Size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last.size() + r.short.size()
}
