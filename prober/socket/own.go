package socket

import (
	"sync"
	"time"
)

// ownAge is for how long a socket is known after it was made, or was last asked about: longer than TIME_WAIT, in which
// it stays after it was closed (60 s on Linux).
const ownAge = 5 * time.Minute

// Own knows the sockets that connections are made with, by the kernel's cookies (SO_COOKIE), which it never gives
// twice: whoever lists the sockets of this network namespace can leave them out. The zero value knows none until it is
// switched on, since each costs a system call. A nil Own never knows any; it may be used by many goroutines.
type Own struct {
	mu              sync.Mutex // guards what follows
	on              bool
	recent, earlier map[uint64]struct{} // two generations
	since           time.Time           // when the recent one began
}

// SwitchOn makes it know the sockets that are made from now on.
func (o *Own) SwitchOn() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.on = true
}

// Has reports whether a socket is one of them. Who asks about it makes it known for longer.
func (o *Own) Has(cookie uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, recent := o.recent[cookie]
	if _, earlier := o.earlier[cookie]; earlier && !recent {
		o.add(cookie)
		return true
	}
	return recent
}

// wanted reports whether sockets are to be noted.
func (o *Own) wanted() bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.on
}

// note notes a socket.
func (o *Own) note(cookie uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(cookie)
}

// add adds a cookie. The caller holds mu.
func (o *Own) add(cookie uint64) {
	if now := time.Now(); o.recent == nil || now.Sub(o.since) > ownAge {
		o.recent, o.earlier, o.since = map[uint64]struct{}{}, o.recent, now
	}
	o.recent[cookie] = struct{}{}
}
