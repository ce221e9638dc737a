package incident

import (
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/host/counters"
)

// The bounds of a Log, of which the target with the most incidents loses its oldest first.
const (
	maxIncidents = 10_000
	maxBytes     = 32 << 20
)

// expireInterval is between two looks for open incidents whose targets are no longer probed.
const expireInterval = time.Minute

// Options are what a Log is made of.
type Options struct {
	Rule Rule

	// Changed is called with each incident that began, changed or ended, and what it was before, nil if it began; nil
	// for nobody.
	Changed func(before, now *Incident)
}

// Log remembers incidents. It may be used by many goroutines. A nil Log remembers nothing.
type Log struct {
	rule      Rule
	changed   func(before, now *Incident)
	incidents int // bounds, as above
	bytes     int

	mu       sync.Mutex             // guards what follows
	byTarget map[string][]*Incident // the oldest first; only the last may be open
	byID     map[ulid.ULID]*Incident
	kernel   map[string]*counters.Around // of the last failure of open incidents, until it is known
	size     int                         // of all, in bytes
	expired  time.Time                   // when open incidents were last looked through
}

// NewLog returns an empty Log.
func NewLog(o Options) *Log {
	l := &Log{rule: Rule{max(1, o.Rule.Successes)}, changed: o.Changed, incidents: maxIncidents, bytes: maxBytes,
		byTarget: map[string][]*Incident{}, byID: map[ulid.ULID]*Incident{}, kernel: map[string]*counters.Around{}}
	if l.changed == nil {
		l.changed = func(_, _ *Incident) {}
	}
	return l
}

// Fill adds incidents of before a restart. Those that were open go on with the next probe of their target.
func (l *Log) Fill(incidents []*Incident) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sorted := slices.SortedFunc(slices.Values(incidents), func(a, b *Incident) int { return a.ID.Compare(b.ID) })
	for _, i := range sorted {
		if before := l.last(i.Target); before != nil && before.Open() {
			l.put(before.Lost()) // a target has one open incident
		}
		l.put(i)
	}
}

// Observe notes a probe of a configured target. What the kernel counted around a failure may be known later.
func (l *Log) Observe(s Seen, around *counters.Around) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.Failure != nil && s.Kernel == nil {
		s.Kernel = l.kernel[s.Target].Changes()
	}
	over, lasts := l.rule.Next(l.open(s.Target), &s)
	delete(l.kernel, s.Target)
	if over != nil {
		l.note(over)
	}
	if lasts != nil {
		l.note(lasts)
		if s.Failure != nil && around.Awaited() {
			l.kernel[s.Target] = around
		}
	}
	l.expire(s.At)
}

// Learned notes what was found out later about a failure, also of an incident that has ended since.
func (l *Log) Learned(s Seen) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.of(s.Target, s.ID); i != nil {
		l.note(i.Learned(&s))
	}
}

// Of is the incident that a failure belongs to; nil if there is none.
func (l *Log) Of(target string, record ulid.ULID) *Incident {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(target, record)
}

func (l *Log) of(target string, record ulid.ULID) *Incident {
	for _, i := range slices.Backward(l.byTarget[target]) {
		if i.First.Compare(record) <= 0 {
			if record.Compare(i.Last) <= 0 {
				return i
			}
			return nil
		}
	}
	return nil
}

// note puts an incident in place of what it was, and reports it. The caller holds mu.
func (l *Log) note(i *Incident) {
	before := l.byID[i.ID]
	l.put(i)
	l.changed(before, i)
}

// put puts an incident in place of what it was. The caller holds mu.
func (l *Log) put(i *Incident) {
	list := l.byTarget[i.Target]
	if before := l.byID[i.ID]; before != nil {
		l.size -= before.Size()
		list[slices.Index(list, before)] = i
	} else {
		l.byTarget[i.Target] = append(list, i)
	}
	l.byID[i.ID] = i
	l.size += i.Size()
	for len(l.byID) > l.incidents || l.size > l.bytes {
		l.evict()
	}
}

// evict forgets the oldest incident of the target that has most; of several such, the oldest. The caller holds mu.
func (l *Log) evict() {
	var oldest *Incident
	most := 0
	for _, list := range l.byTarget {
		if n := len(list); n > most || n == most && list[0].ID.Compare(oldest.ID) < 0 {
			most, oldest = n, list[0]
		}
	}
	if rest := l.byTarget[oldest.Target][1:]; len(rest) > 0 {
		l.byTarget[oldest.Target] = rest
	} else {
		delete(l.byTarget, oldest.Target)
	}
	delete(l.byID, oldest.ID)
	l.size -= oldest.Size()
}

// expire ends the open incidents whose targets are no longer probed. The caller holds mu.
func (l *Log) expire(now time.Time) {
	if passed := now.Sub(l.expired); passed >= 0 && passed < expireInterval {
		return
	}
	l.expired = now
	for target := range l.byTarget {
		if i := l.open(target); i != nil && now.Sub(i.LastProbe) > longestGap {
			delete(l.kernel, target)
			l.note(i.Lost())
		}
	}
}

// open is the target's open incident; nil if there is none. The caller holds mu.
func (l *Log) open(target string) *Incident {
	if i := l.last(target); i != nil && i.Open() {
		return i
	}
	return nil
}

// last is the target's newest incident; nil if there is none. The caller holds mu.
func (l *Log) last(target string) *Incident {
	if list := l.byTarget[target]; len(list) > 0 {
		return list[len(list)-1]
	}
	return nil
}
