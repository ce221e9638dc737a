package target

import (
	"container/list"
	"sync"
)

// What the last results of all targets may take together, in bytes. The part for each target is more than a brief
// result ever takes.
const (
	lastsBase      = 16 << 20
	lastsPerTarget = 16 << 10
)

// Lasts bounds what the last results of all targets take together. Where they are too much, the oldest are made brief:
// they lose what samples need besides the failure and the durations. A brief result is no longer passed on by
// min_interval: its target is probed instead.
type Lasts struct {
	mu    sync.Mutex // guards what follows; nobody who has the mu of Results or of Probes takes it
	most  int
	bytes int
	whole *list.List // of *charged with results that are not brief, the oldest first
	of    map[*Known]*charged
}

// charged is what the last results of a target take.
type charged struct {
	known *Known
	bytes int
	place *list.Element // among those that are not brief; nil for none
}

// NewLasts returns a budget for no targets: Apply gives it some.
func NewLasts() *Lasts { return &Lasts{whole: list.New(), of: map[*Known]*charged{}} }

// Apply takes a configuration's targets. The results of targets that are gone are released.
func (l *Lasts) Apply(targets []*Target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.of
	l.most, l.bytes, l.of = lastsBase+lastsPerTarget*len(targets), 0, make(map[*Known]*charged, len(targets))
	for _, t := range targets {
		c := before[t.Known]
		if c == nil {
			c = &charged{known: t.Known}
		}
		delete(before, t.Known)
		l.of[t.Known] = c
		l.bytes += c.bytes
	}
	for _, gone := range before {
		if gone.place != nil {
			l.whole.Remove(gone.place)
		}
	}
}

// Noted is called when a target has a new last result. Targets of an earlier configuration have none.
func (l *Lasts) Noted(t *Target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.of[t.Known]
	if c == nil {
		return
	}
	if c.place != nil {
		l.whole.Remove(c.place)
	}
	c.place = l.whole.PushBack(c)
	l.charge(c)
	for l.bytes > l.most && l.whole.Front() != c.place {
		oldest := l.whole.Remove(l.whole.Front()).(*charged)
		oldest.place = nil
		oldest.known.Results.shorten()
		oldest.known.Probes.Forget()
		l.charge(oldest)
	}
}

// charge counts what a target's results take now. The caller holds mu.
func (l *Lasts) charge(c *charged) {
	l.bytes -= c.bytes
	c.bytes = c.known.Results.Size()
	l.bytes += c.bytes
}

// shorten replaces the last results by brief ones. Whoever has them already keeps them.
func (r *Results) shorten() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.short = r.last.shortened(), r.short.shortened()
}
