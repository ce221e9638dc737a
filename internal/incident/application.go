package incident

import (
	"cmp"
	"slices"
	"time"

	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
)

// Application is what became of the application's own connections to a target in a time, as far as they were observed.
type Application struct {
	Since time.Time `json:"since"` // when the count begins: with the probe before the first failure
	Ended uint64    `json:"ended"` // connections
	Ends  []Ends    `json:"ends,omitempty"`

	// OldestCloseWait is the longest for which a connection was seen in CLOSE_WAIT, in seconds.
	OldestCloseWait float64 `json:"oldest_close_wait_seconds"`
}

// Ends are the connections that ended in one way. There are at most as many of them as ways and origins, which are
// closed lists.
type Ends struct {
	How            observe.How   `json:"how"`
	Origin         result.Origin `json:"origin,omitempty"` // of a RST that a capture saw
	Count          uint64        `json:"count"`
	Unacknowledged uint64        `json:"unacknowledged,omitempty"` // of these, with the last request unacknowledged
	Unanswered     uint64        `json:"unanswered,omitempty"`     // of these, with the last request unanswered
	Idle           float64       `json:"idle_seconds"`             // for how long they had been idle, the sum of all
	IdleFor        []IdleFor     `json:"idle_for"`                 // the same by ranges, the shortest first
}

// IdleFor is how many connections had been idle for a time below a bound, and not below the one before it.
type IdleFor struct {
	Below float64 `json:"below_seconds,omitempty"` // 0: the last bound or more
	Count uint64  `json:"count"`
}

// idleBounds are the bounds, in seconds: what servers, load balancers and pools are set to are among them, since a
// connection that one of these ends has been idle for a little longer.
var idleBounds = []float64{1, 5, 10, 15, 30, 45, 60, 75, 90, 120, 180, 300, 350, 600, 900, 1800, 3600}

// Note counts the end of a connection.
func (a *Application) Note(e *observe.End) {
	idle := e.Idle.Seconds()
	in := IdleFor{Count: 1}
	if n := slices.IndexFunc(idleBounds, func(bound float64) bool { return idle < bound }); n >= 0 {
		in.Below = idleBounds[n]
	}
	one := Ends{How: e.How, Origin: e.Origin, Count: 1, Idle: idle, IdleFor: []IdleFor{in}}
	switch e.Lost {
	case observe.Unacknowledged:
		one.Unacknowledged = 1
	case observe.Unanswered:
		one.Unanswered = 1
	}
	a.add(&one)
}

// Lost is how many connections ended with a request in progress.
func (a *Application) Lost() (n uint64) {
	for i := range a.Ends {
		n += a.Ends[i].Unacknowledged + a.Ends[i].Unanswered
	}
	return n
}

// IdleRange is between which times the connections had been idle, in seconds; the second is 0 where there is no bound.
func (e *Ends) IdleRange() (from, below float64) {
	if len(e.IdleFor) == 0 {
		return 0, 0
	}
	first := slices.Index(idleBounds, e.IdleFor[0].Below)
	if first < 0 {
		first = len(idleBounds)
	}
	if first > 0 {
		from = idleBounds[first-1]
	}
	return from, e.IdleFor[len(e.IdleFor)-1].Below
}

// Clone is a copy that shares nothing.
func (a *Application) Clone() *Application {
	c := *a
	c.Ends = slices.Clone(a.Ends)
	for i := range c.Ends {
		c.Ends[i].IdleFor = slices.Clone(c.Ends[i].IdleFor)
	}
	return &c
}

// After is what was seen after an earlier value of the same count; all of it where that is nil, or of another count.
func (a *Application) After(before *Application) *Application {
	if before == nil || !before.Since.Equal(a.Since) {
		return a
	}
	d := &Application{Since: a.Since, OldestCloseWait: a.OldestCloseWait}
	for _, e := range a.Ends {
		e.IdleFor = slices.Clone(e.IdleFor)
		if at := before.ends(e.How, e.Origin); at != nil {
			e.Count, e.Idle = e.Count-at.Count, max(0, e.Idle-at.Idle)
			e.Unacknowledged, e.Unanswered = e.Unacknowledged-at.Unacknowledged, e.Unanswered-at.Unanswered
			for _, in := range at.IdleFor {
				n := slices.IndexFunc(e.IdleFor, func(now IdleFor) bool { return now.Below == in.Below })
				if e.IdleFor[n].Count -= in.Count; e.IdleFor[n].Count == 0 {
					e.IdleFor = slices.Delete(e.IdleFor, n, n+1)
				}
			}
		}
		if e.Count > 0 {
			d.add(&e)
		}
	}
	return d
}

// and is what was seen in two times; nil where in none of them was anything observed. Neither is changed.
func (a *Application) and(b *Application) *Application {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	sum := a.Clone()
	if b.Since.Before(a.Since) {
		sum.Since = b.Since
	}
	sum.OldestCloseWait = max(a.OldestCloseWait, b.OldestCloseWait)
	for i := range b.Ends {
		sum.add(&b.Ends[i])
	}
	return sum
}

// ends are those of a way and an origin; nil if there are none.
func (a *Application) ends(how observe.How, origin result.Origin) *Ends {
	at := slices.IndexFunc(a.Ends, func(known Ends) bool { return known.How == how && known.Origin == origin })
	if at < 0 {
		return nil
	}
	return &a.Ends[at]
}

// add adds connections. The value is being made.
func (a *Application) add(e *Ends) {
	a.Ended += e.Count
	known := a.ends(e.How, e.Origin)
	if known == nil {
		a.Ends = append(a.Ends, *e)
		a.Ends[len(a.Ends)-1].IdleFor = slices.Clone(e.IdleFor)
		slices.SortFunc(a.Ends, func(x, y Ends) int { // in the order of metrics and pages
			return cmp.Or(cmp.Compare(slices.Index(observe.Hows(), x.How), slices.Index(observe.Hows(), y.How)),
				cmp.Compare(x.Origin, y.Origin))
		})
		return
	}
	known.Count += e.Count
	known.Unacknowledged += e.Unacknowledged
	known.Unanswered += e.Unanswered
	known.Idle += e.Idle
	for _, in := range e.IdleFor {
		n, found := slices.BinarySearchFunc(known.IdleFor, in, compareBounds)
		if found {
			known.IdleFor[n].Count += in.Count
		} else {
			known.IdleFor = slices.Insert(known.IdleFor, n, in)
		}
	}
}

// compareBounds compares two ranges; that without a bound is the last.
func compareBounds(a, b IdleFor) int {
	if a.Below == 0 || b.Below == 0 {
		return -cmp.Compare(a.Below, b.Below)
	}
	return cmp.Compare(a.Below, b.Below)
}

// known is the value with the ways, origins and ranges of this version: what another one has stored becomes unknown.
func (a *Application) known() *Application {
	if a == nil {
		return nil
	}
	k := &Application{Since: a.Since, OldestCloseWait: a.OldestCloseWait}
	origins := []result.Origin{"", result.Peer, result.Path, result.Kernel, result.Self, result.Local}
	for _, e := range a.Ends {
		if !slices.Contains(observe.Hows(), e.How) {
			e.How = observe.Unknown
		}
		if !slices.Contains(origins, e.Origin) {
			e.Origin = ""
		}
		stored := e.IdleFor
		e.IdleFor = nil
		for _, in := range stored {
			n := slices.IndexFunc(idleBounds, func(bound float64) bool { return in.Below > 0 && in.Below <= bound })
			if in.Below = 0; n >= 0 {
				in.Below = idleBounds[n]
			}
			one := Ends{How: e.How, Origin: e.Origin, IdleFor: []IdleFor{in}}
			k.add(&one)
		}
		k.add(&e)
	}
	return k
}
