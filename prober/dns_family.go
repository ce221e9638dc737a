package prober

import (
	"context"
	"net"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
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
	l := &lookup{start: a.start, caught: a.caught, record: Lookup{Host: host}}
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

// Family is what became of the questions for one family of addresses.
type Family struct {
	Name     string        // "ip4" or "ip6"
	Answered bool          // the name servers gave addresses, or said that there are none
	GivenUp  bool          // it was not waited for any longer, as the other family had answered
	Duration time.Duration // from the first question to the last answer, or to when it was given up
}

// Families are the families that were asked for of the name that decided, IPv4 first; empty where nobody was asked.
func (l *Lookup) Families() []Family {
	if l == nil || len(l.Exchanges) == 0 {
		return nil
	}
	var families []Family
	decided := nameOf(&l.Exchanges[len(l.Exchanges)-1])
	for _, f := range []struct{ name, kind string }{{"ip4", " A"}, {"ip6", " AAAA"}} {
		family, began := Family{Name: f.name}, time.Duration(-1)
		for i := range l.Exchanges {
			e := &l.Exchanges[i]
			if nameOf(e) != decided || !strings.HasSuffix(e.Question, f.kind) {
				continue
			}
			if began < 0 {
				began = e.Start
			}
			family.Answered = e.Err == nil && (e.RCode == int(dnsmessage.RCodeSuccess) || e.RCode == int(dnsmessage.RCodeNameError))
			family.GivenUp, family.Duration = e.GivenUp, e.Start+e.Duration-began
		}
		if began >= 0 {
			families = append(families, family)
		}
	}
	return families
}
