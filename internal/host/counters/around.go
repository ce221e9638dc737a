package counters

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Around is what the counters did around a failure: from the last sample before the probe to the first after it. It may
// be used by many goroutines. A nil Around is that of a success, or of a system without such counters.
type Around struct {
	ended   time.Time // when the probe had
	before  *Sample   // nil once settled; the Sampler's mu guards it
	changes atomic.Pointer[Changes]
}

// Changes are the counters that rose from a sample to a later one.
type Changes struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Changed []Change  `json:"changed"`
}

// Change is by how much one counter rose.
type Change struct {
	Name    string `json:"name"`
	By      uint64 `json:"by"`
	Meaning string `json:"meaning"`
}

// Changes is what rose; nil until the sample after the failure was taken, which is at most about a second later.
func (a *Around) Changes() *Changes {
	if a == nil {
		return nil
	}
	return a.changes.Load()
}

// Rose is by how much a counter rose; 0 also where it is not known.
func (c *Changes) Rose(name string) uint64 {
	if c == nil {
		return 0
	}
	for i := range c.Changed {
		if c.Changed[i].Name == name {
			return c.Changed[i].By
		}
	}
	return 0
}

// Awaited reports whether the sample after the failure is still to be taken.
func (a *Around) Awaited() bool { return a != nil && a.changes.Load() == nil }

// Of is an Around with known changes.
func Of(c *Changes) *Around {
	a := new(Around)
	a.changes.Store(c)
	return a
}

// Size is about how many bytes of memory it takes, at most.
func (a *Around) Size() int {
	if a == nil {
		return 0
	}
	return aroundBytes
}

// aroundBytes is for an Around in which a third of the counters rose.
const aroundBytes = 1 << 10

// settle compares the sample before with one after. The caller holds the Sampler's mu.
func (a *Around) settle(after *Sample) {
	a.changes.Store(between(a.before, after))
	a.before = nil
}

// between is what rose from a sample to a later one. A counter that fell was reset, or has overflowed.
func between(before, after *Sample) *Changes {
	c := &Changes{From: before.At, To: after.At, Changed: []Change{}}
	for i := range All {
		if before.known[i] && after.known[i] && after.values[i] > before.values[i] {
			c.Changed = append(c.Changed, Change{All[i].Name, after.values[i] - before.values[i], All[i].Sentence})
		}
	}
	return c
}

// clock is the format of the interval's ends.
const clock = "15:04:05.000"

// Heading is the interval, and what it counts.
func (c *Changes) Heading() string {
	return fmt.Sprintf("Kernel counters that rose from %s to %s UTC, of this network namespace and not of the probe alone",
		c.From.UTC().Format(clock), c.To.UTC().Format(clock))
}

// Lines are the counters that rose, one a line.
func (c *Changes) Lines() []string {
	if len(c.Changed) == 0 {
		return []string{"none"}
	}
	lines := make([]string, len(c.Changed))
	for i, changed := range c.Changed {
		lines[i] = fmt.Sprintf("%-26s %+6d  %s", changed.Name, changed.By, changed.Meaning)
	}
	return lines
}

// StillAwaited is written in place of the counters while they are awaited.
const StillAwaited = "The kernel's counters are read once a second: those of this failure will be in its record"
