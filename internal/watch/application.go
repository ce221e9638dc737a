package watch

import (
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/observe"
	"errno_exporter/internal/target"
	"errno_exporter/prober/result"
)

// application observes the application's connections to the targets while the configuration wants that. A reload turns
// it on and off. It may be used by many goroutines.
type application struct {
	open     func(observe.Options) *observe.Observer
	metrics  *metrics.Application
	panicked guard.Report

	known atomic.Pointer[map[string]*peer] // what is observed, by name

	mu       sync.Mutex // guards what follows
	settings *config.Observe
	observer *observe.Observer // nil: nothing is observed
}

// peer is one whose connections are observed: the host and port of targets, which cannot be told apart by their
// connections, or a network.
type peer struct {
	application *target.Application // what the targets share; of networks nil
	targets     []string            // that it is exposed as; of a network its own name
}

// peerOf names the host and port of a target.
func peerOf(u *url.URL) string {
	return net.JoinHostPort(strings.ToLower(u.Hostname()), strconv.Itoa(int(portOf(u))))
}

// apply takes a configuration's settings, and the targets of now. What is known of a peer that stays is kept.
func (a *application) apply(c *config.Observe, targets []*target.Target) {
	known, before := map[string]*peer{}, a.known.Load()
	for _, t := range targets {
		name := peerOf(t.Config.URL)
		if known[name] == nil {
			known[name] = &peer{application: new(target.Application)}
			if before != nil && (*before)[name] != nil {
				known[name].application = (*before)[name].application
			}
		}
		t.Application = known[name].application
		known[name].targets = append(known[name].targets, t.Config.Name)
	}
	if c == nil {
		clear(known)
	} else {
		for _, network := range c.Networks {
			known[network.String()] = &peer{targets: []string{network.String()}}
		}
	}
	a.known.Store(&known)
	a.observe(c)
	if before == nil {
		return
	}
	for name, p := range *before {
		if _, still := known[name]; !still {
			a.metrics.Forget(name)
			if p.application != nil {
				p.application.Forget()
			}
		}
	}
}

// observe starts and stops observing. Settings that are the same leave what is observed as it is; where the kernel
// refused it is asked again.
func (a *application) observe(c *config.Observe) {
	a.mu.Lock()
	running := a.observer != nil
	if a.open == nil || reflect.DeepEqual(c, a.settings) && (running || c == nil) {
		a.mu.Unlock()
		return
	}
	previous := a.observer
	a.observer, a.settings = nil, c
	a.mu.Unlock()
	if previous != nil {
		previous.Close() // not under the lock, which an end that is being reported may want
	}
	if c == nil {
		return
	}
	wanted := observe.Options{Interval: c.Interval, Ended: a.ended, Report: a.panicked}
	for _, network := range c.Networks {
		wanted.Networks = append(wanted.Networks, observe.Network{Name: network.String(), Prefix: network})
	}
	started := a.open(wanted)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.observer = started
}

// close stops observing.
func (a *application) close() { a.observe(nil) }

// current is the observer; nil if nothing is observed.
func (a *application) current() *observe.Observer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.observer
}

// ended counts the end of a connection, unless its peer has been removed from the configuration meanwhile.
func (a *application) ended(e *observe.End) {
	p, known := (*a.known.Load())[e.Target]
	if !known {
		return
	}
	a.metrics.Ended(e)
	if p.application != nil {
		p.application.Ended(e)
	}
}

// learn makes the observer know the addresses of a target that a probe resolved, and samples what it has seen of them.
func (a *application) learn(t *target.Target, r *result.Result, now time.Time) {
	observer := a.current()
	if observer == nil {
		return
	}
	if addresses := resolved(t.Config.URL, r); len(addresses) > 0 {
		observer.Learn(peerOf(t.Config.URL), addresses, now)
	}
	if connections, known := observer.Connections(peerOf(t.Config.URL)); known {
		t.Application.Sample(&connections, now)
	}
}

// since is what became of a target's connections since it was taken before; nil where they are not observed.
func (a *application) since(t *target.Target, now time.Time) *incident.Application {
	if a.current() == nil {
		return nil
	}
	return t.TakeApplication(now)
}

// resolved are the addresses of a target's host, with the port. Behind a proxy there are none: connections to the
// proxy are not the target's alone.
func resolved(u *url.URL, r *result.Result) []netip.AddrPort {
	port := portOf(u)
	var all []netip.AddrPort
	for i := range r.Attempts {
		hop := &r.Attempts[i].Hops[0]
		if hop.Proxy != "" {
			continue
		}
		for _, addr := range append(slices.Clone(hop.Answers), hop.Addr.Addr()) {
			if at := netip.AddrPortFrom(addr.Unmap().WithZone(""), port); addr.IsValid() && !slices.Contains(all, at) {
				all = append(all, at)
			}
		}
	}
	return all
}

// portOf is the port of a target's URL.
func portOf(u *url.URL) uint16 {
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return uint16(port)
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

// observed is what the metrics are made from.
func (a *application) observed() metrics.Observed {
	observer := a.current()
	if observer == nil {
		return metrics.Observed{}
	}
	o := metrics.Observed{Enabled: true, Health: observer.Health()}
	for name, p := range *a.known.Load() {
		connections, _ := observer.Connections(name) // none before the first probe
		o.Peers = append(o.Peers, metrics.ObservedPeer{Name: name, Targets: p.targets, Connections: connections})
	}
	return o
}

// of is what is known of the application's connections to a target; nil where they are not observed.
func (a *application) of(t *target.Target) *observe.Connections {
	observer := a.current()
	if observer == nil {
		return nil
	}
	connections, _ := observer.Connections(peerOf(t.Config.URL)) // none before the first probe
	return &connections
}
