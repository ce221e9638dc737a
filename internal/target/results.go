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

// perOutcome is what an outcome takes in memory, in bytes, without what it points to.
const perOutcome = 104

// Results are the last results of a target. The zero value is ready; it may be used by many goroutines.
type Results struct {
	mu      sync.Mutex   // guards what follows
	last    *Outcome     // of the last probe that counted; nil before the first
	short   *Outcome     // of the last one after it that did not; nil if there is none
	network netip.Prefix // that was last dialed; zero for none
	dialed  time.Time    // when the probe ended that dialed it
}

// Note makes an outcome the last one, and returns what may be passed on to callers that come within min_interval.
func (r *Results) Note(o *Outcome) []schedule.Recent[*Outcome] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.Callers {
		r.short = o.stored()
	} else {
		r.last, r.short = o.stored(), nil
		if n := egress.Network(o.Result); n.IsValid() {
			r.network, r.dialed = n, o.Ended
		}
	}
	var all []schedule.Recent[*Outcome]
	for _, o := range []*Outcome{r.last, r.short} {
		if o != nil {
			all = append(all, schedule.Recent[*Outcome]{Outcome: o, Start: o.Result.Start, Allowed: o.Allowed,
				For: o.audience()})
		}
	}
	return all
}

// Latest is the last outcome that counted; nil before the first.
func (r *Results) Latest() *Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// Expected is how long the target's probe may take, judging by the last one; without one it may take longest.
func (r *Results) Expected() time.Duration {
	if last := r.Latest(); last != nil {
		return last.Result.Elapsed
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
	s := egress.Seen{Result: r.last.Result}
	if now.Sub(r.dialed) <= networkAge {
		s.Dialed = r.network
	}
	return s, true
}

// Size is about how many bytes of memory the last results take.
func (r *Results) Size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, o := range []*Outcome{r.last, r.short} {
		if o == nil {
			continue
		}
		n += perOutcome + o.Result.Size()
		if o.digest != nil {
			n += o.digest.Size()
		}
	}
	return n
}
