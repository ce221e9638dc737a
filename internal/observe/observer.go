package observe

import (
	"net/netip"
	"time"

	"errno_exporter/guard"
	"errno_exporter/internal/reset"
)

// Network are further peers to watch, beside the targets: connections that this host has made to them.
type Network struct {
	Name   string
	Prefix netip.Prefix
}

// Options are what is wanted of an Observer.
type Options struct {
	Interval time.Duration // between two dumps, at most; 0 for 5 s
	Max      int           // sockets that are tracked; 0 for 100,000
	Networks []Network
	Ended    func(*End)               // is called for each end, in one goroutine, and must not block; may be nil
	Dumped   func([]Socket)           // is called with the connections of each dump, at most 10,000; may be nil
	Own      func(cookie uint64) bool // whether a socket (SO_COOKIE) is the exporter's own; may be nil
	Capture  *reset.Capture           // knows who sent a reset; may be nil
	Report   guard.Report             // is called with panics
}

// The defaults of Options.
const (
	defaultInterval = 5 * time.Second
	defaultMax      = 100_000
)

// defaults fills in what is not set.
func (o Options) defaults() Options {
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	if o.Max <= 0 {
		o.Max = defaultMax
	}
	return o
}

// Learn notes the addresses of a target, which are remembered for an hour.
func (o *Observer) Learn(target string, addresses []netip.AddrPort, now time.Time) {
	o.targets.learn(target, addresses, now)
}

// Connections are those of a target, or of a network by its name; false for one that is not known.
func (o *Observer) Connections(target string) (Connections, bool) {
	return o.targets.connections(target)
}

// Health is how well the observer sees.
func (o *Observer) Health() Health {
	o.targets.mu.Lock()
	defer o.targets.mu.Unlock()
	return o.health
}
