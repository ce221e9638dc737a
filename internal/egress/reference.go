package egress

import (
	"context"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
)

// How reference targets are checked.
//
//   - With every scrape each reference target is connected to by TCP, in parallel and at most once per checkInterval.
//     One that accepts or refuses is reached; a timeout or an ICMP error means that it is not.
//   - Egress is up if a reference target of kind network is reached; where only gateways and resolvers are configured,
//     one of those is enough.

const (
	checkTimeout  = 2 * time.Second
	checkInterval = 5 * time.Second
)

// Address is a reference target as it is configured.
type Address struct{ Name, Kind, Address string }

// Reference is the result of the last check of a reference target.
type Reference struct {
	Name, Kind string
	Up         bool
}

// State is the result of the last check of all reference targets.
type State struct {
	Known      bool // reference targets are configured, and were checked
	Up         bool
	At         time.Time // of the check
	References []Reference
}

// References checks the reference targets. The zero value has none.
type References struct {
	checking sync.Mutex // one check at a time: it takes as long as the slowest answer

	Shared *Shared // takes what is checked; nil for none
	// Control is called with each socket before it connects, as that of net.Dialer; may be nil.
	Control func(network, address string, c syscall.RawConn) error

	mu      sync.Mutex // guards what follows, and is never held for long: verdicts wait for it
	targets []*Address
	checked time.Time
	state   State
}

// Apply replaces the reference targets; what the last check found is forgotten.
func (c *References) Apply(targets []*Address) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.targets, c.checked, c.state = targets, time.Time{}, State{}
}

// State is the result of the last check.
func (c *References) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// What a reference target takes in memory, in bytes, without its texts: as it is configured, and its state.
const perReference = 160

// Size is about how many bytes of memory the reference targets and their states take.
func (c *References) Size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, t := range c.targets {
		n += perReference + len(t.Name) + len(t.Kind) + len(t.Address)
	}
	return n
}

// Check checks the reference targets, unless the last check is younger than checkInterval. It waits for a check in
// progress.
func (c *References) Check() { c.CheckSince(time.Now().Add(-checkInterval)) }

// CheckSince checks the reference targets, unless that was done since a time.
func (c *References) CheckSince(since time.Time) {
	c.checking.Lock()
	defer c.checking.Unlock()
	targets := c.due(since)
	if len(targets) == 0 {
		return
	}
	references := make([]Reference, len(targets))
	var dialling guard.Group
	for i, t := range targets {
		dialling.Go(func() { references[i] = Reference{Name: t.Name, Kind: t.Kind, Up: c.reached(t.Address)} })
	}
	dialling.Wait()
	if c.Shared != nil {
		for i, t := range targets {
			c.Shared.ObserveReference(t.Address, references[i], time.Now())
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Equal(c.targets, targets) { // otherwise a reload has replaced them
		c.checked = time.Now()
		c.state = State{Known: true, Up: up(references), At: c.checked, References: references}
	}
}

// due returns the reference targets, or none if they were checked since a time.
func (c *References) due(since time.Time) []*Address {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.checked.Before(since) {
		return nil
	}
	return c.targets
}

// reached reports whether an address answers; a refusal is an answer.
func (c *References) reached(address string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	conn, err := (&net.Dialer{Control: c.Control}).DialContext(ctx, "tcp", address)
	if err != nil {
		errno := classify.ErrnoOf(err)
		return errno == syscall.ECONNREFUSED || errno == syscall.ECONNRESET
	}
	_ = conn.Close() // that it was established is all there is to know
	return true
}

func up(references []Reference) bool {
	far := slices.ContainsFunc(references, func(r Reference) bool { return r.Kind == "network" })
	return slices.ContainsFunc(references, func(r Reference) bool { return r.Up && (r.Kind == "network" || !far) })
}
