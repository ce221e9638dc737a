package prober

import (
	"context"
	"net"
	"time"

	"errno_exporter/prober/result"
)

// How long one family's answer is waited for when the other's is there: as long as RFC 8305 section 3 says (the resolution delay), and no longer
// than a small share of the time that is left. A name server that drops questions for AAAA then costs a probe a moment, and not its deadline.

const (
	resolutionDelay = 50 * time.Millisecond
	delayShare      = 20 // at most a twentieth of the time that is left
)

// delayOf is how long the other family is waited for within a context.
func delayOf(ctx context.Context) time.Duration {
	at, ok := ctx.Deadline()
	if !ok {
		return resolutionDelay
	}
	return min(resolutionDelay, time.Until(at)/delayShare)
}

// newLookup begins to watch a name being resolved, within the attempt's time.
func (a *attempt) newLookup(host string) *lookup {
	l := &lookup{start: a.start, caught: a.caught, record: result.Lookup{Host: host}}
	l.waiting, l.stop = context.WithCancel(a.ctx)
	l.delay = delayOf(a.ctx)
	return l
}

// found notes that one family has addresses: from here on the other is waited for no longer than the delay.
func (l *lookup) found() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.late == nil && !l.over {
		l.late = l.caught.AfterTime(l.delay, l.giveUp)
	}
}

// giveUp ends the waiting for the other family.
func (l *lookup) giveUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gaveUp = true
	l.stop()
	for _, conn := range l.conns {
		_ = conn.SetReadDeadline(time.Unix(1, 0)) // fails only on a closed connection
	}
}

func (l *lookup) hasGivenUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gaveUp
}

// setDeadline sets a connection's deadline, unless its answer is not waited for any longer.
func (l *lookup) setDeadline(conn net.Conn, t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gaveUp {
		return nil
	}
	return conn.SetDeadline(t)
}
