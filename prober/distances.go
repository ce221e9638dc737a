package prober

import (
	"net/netip"
	"sync"
	"time"
)

// The bounds of Distances. A path may change: what is older is measured again.
const (
	maxDistances = 1024
	distanceAge  = time.Hour
)

// Distances remembers the TTLs with which the segments of servers arrive, between experiments. It belongs to whoever
// owns the Prober, and may be used by many goroutines. A nil one remembers nothing.
type Distances struct {
	mu    sync.Mutex // guards what follows
	known map[pathTo]distance
}

// pathTo is what a server's TTL depends on.
type pathTo struct {
	server netip.AddrPort
	source netip.Addr // the zero one is the kernel's choice
}

type distance struct {
	ttl        uint8
	measuredAt time.Time
}

// NewDistances returns an empty one.
func NewDistances() *Distances { return &Distances{known: map[pathTo]distance{}} }

// at is the TTL of a server as it is known at a time; 0 for none.
func (d *Distances) at(to pathTo, now time.Time) uint8 {
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.known[to]; now.Sub(known.measuredAt) <= distanceAge {
		return known.ttl
	}
	delete(d.known, to)
	return 0
}

// note remembers a measured TTL, in the place of the oldest one if there are too many.
func (d *Distances) note(to pathTo, ttl uint8, now time.Time) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.known[to]; !known && len(d.known) >= maxDistances {
		var oldest pathTo
		for other, known := range d.known {
			if at := d.known[oldest].measuredAt; at.IsZero() || known.measuredAt.Before(at) {
				oldest = other
			}
		}
		delete(d.known, oldest)
	}
	d.known[to] = distance{ttl, now}
}
