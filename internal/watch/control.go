package watch

import (
	"context"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/metrics"
	"errno_exporter/prober/classify"
)

// The rule of egress.
//
//   - With every scrape each control target is connected to by TCP, side by side and at most every few seconds. One that accepts or refuses is
//     reached; silence and errors of the way are not.
//   - Egress is up if one of the networks is reached; where only gateways and resolvers are configured, one of them.

const (
	controlTimeout  = 2 * time.Second
	controlInterval = 5 * time.Second
)

// Egress is our outbound connectivity.
type Egress struct {
	Known    bool // there are control targets, and they were looked at
	Up       bool
	At       time.Time // when they were looked at
	Controls []metrics.Control
}

// controls looks at the control targets.
type controls struct {
	looking sync.Mutex // one look at a time: it takes as long as the slowest answer

	mu      sync.Mutex // guards what follows, and is never held for long: verdicts wait for it
	targets []*config.ControlTarget
	looked  time.Time
	egress  Egress
}

func (c *controls) apply(targets []*config.ControlTarget) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.targets, c.looked, c.egress = targets, time.Time{}, Egress{}
}

// state is what was found when they were last looked at.
func (c *controls) state() Egress {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.egress
}

// look looks at the control targets, unless that was done a moment ago. It waits for whoever does.
func (c *controls) look() { c.lookSince(time.Now().Add(-controlInterval)) }

// lookSince looks at the control targets, unless that was done since a time.
func (c *controls) lookSince(since time.Time) {
	c.looking.Lock()
	defer c.looking.Unlock()
	targets := c.due(since)
	if len(targets) == 0 {
		return
	}
	states := make([]metrics.Control, len(targets))
	var dialling guard.Group
	for i, t := range targets {
		dialling.Go(func() { states[i] = metrics.Control{Name: t.Name, Kind: t.Kind, Up: reached(t.Address)} })
	}
	dialling.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Equal(c.targets, targets) { // otherwise a reload has replaced them
		c.looked = time.Now()
		c.egress = Egress{Known: true, Up: egressUp(states), At: c.looked, Controls: states}
	}
}

// due are the control targets, if they were not looked at since a time.
func (c *controls) due(since time.Time) []*config.ControlTarget {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.looked.Before(since) {
		return nil
	}
	return c.targets
}

// reached reports whether something answers at an address, be it a refusal.
func reached(address string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), controlTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		errno := classify.ErrnoOf(err)
		return errno == syscall.ECONNREFUSED || errno == syscall.ECONNRESET
	}
	_ = conn.Close() // it has done its work
	return true
}

func egressUp(states []metrics.Control) bool {
	far := slices.ContainsFunc(states, func(s metrics.Control) bool { return s.Kind == "network" })
	return slices.ContainsFunc(states, func(s metrics.Control) bool { return s.Up && (s.Kind == "network" || !far) })
}
