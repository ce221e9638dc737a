package cause

import (
	"slices"
	"time"

	"errno_exporter/internal/lifetime"
	"errno_exporter/prober/result"
)

// Facts of idle connections, where fresh ones work. An idle timeout shows by the age at which connections end, a reload
// or a reboot by the clock: one end shows neither.

// idleFails reports whether the newest fate of an idle connection of any age is a failure.
func idleFails(idle []IdleConn) bool { return lastIdleFailure(idle) != nil }

// lastIdleFailure is the newest failure of an age whose newest fate it is.
func lastIdleFailure(idle []IdleConn) *IdleConn {
	var found *IdleConn
	for i := range idle {
		k := &idle[i]
		newer := slices.ContainsFunc(idle[i+1:], func(o IdleConn) bool { return o.Age == k.Age })
		if k.Failure != nil && !newer && (found == nil || !k.At.Before(found.At)) {
			found = k
		}
	}
	return found
}

func idleFacts(e *Evidence, known *known) {
	all := e.Idle
	k := lastIdleFailure(all)
	if k == nil {
		return
	}
	f := k.Failure
	orderly := f.Reason == result.TCPClosed || f.Reason == result.H2GoAway || f.Reason == result.QUICClosed
	reset := f.Reason == result.TCPReset
	text := "the connection for idle age " + k.Age.String() + ": " + f.Sentence() + ", after " + shown(k.Idle) +
		" idle; fresh ones work"
	nearer := reset && k.Reset != nil && k.Reset.Sender == result.Middlebox
	crossed := k.Used && k.Received == 0
	plain := reset && k.Reset != nil && !k.Reset.Doubtful() // no sign of an injector
	live := plain && k.Reset.Live && !nearer
	known.note(idleEnded, !k.Used && (orderly || live), "%s", text)
	known.note(idleNearer, nearer, "%s; the reset came %s", text, k.Reset)
	known.note(idleSilent, k.Used && f.Reason == result.TCPAborted, "%s", text)
	known.note(idleCrossed, crossed && (orderly || live),
		"%s: it was established until the request was sent, and no byte was received", text)
	known.note(idleForgotten, crossed && plain && !k.Reset.Live && k.Reset.Sender == result.EndHost,
		"%s; the sender of the reset no longer had the connection's state", text)
	// Load balancers reset at their idle timeout, some in the server's name (Azure), so a reset while idle is not the
	// server's by itself.
	known.note(idleUnseen, reset && !live && !nearer && !known.has(idleForgotten),
		"%s; the sender of the reset is unknown", text)
	known.note(endsUncaptured, reset && k.Reset == nil, "%s", known[idleUnseen])
	known.note(idleAnnounced, k.Announced > 0 && (k.Idle-k.Announced).Abs() < 1500*time.Millisecond,
		"the server announces an idle timeout of %s", k.Announced)
	n := similar(all, k)
	known.note(idleSimilar, n >= 2, "%d connections ended like this at a similar age, at different times", n)
	known.note(idleThrice, n >= 3, "the age was similar %d times", n)
	lifetimeFacts(&e.Lifetime, k, known)
}

// lifetimeFacts compare an end with the measured lifetime. That is a property of the target and no failure by itself:
// most servers close connections that idle for long.
func lifetimeFacts(s *lifetime.Search, k *IdleConn, known *known) {
	if !s.Narrow() || k.Idle < s.Survived {
		return
	}
	orderly := s.End == lifetime.FIN || s.End == lifetime.GoAway
	known.note(lifetimeServer, orderly, "measured: %s", s)
	known.note(lifetimePath, s.End == lifetime.Silence || s.Party() == lifetime.Path, "measured: %s", s)
}

// similar counts the ends like one, at a similar age and at different times.
func similar(all []IdleConn, like *IdleConn) int {
	n := 0
	var before time.Time
	tolerance := max(time.Second, like.Idle/5)
	for i := range all {
		k := &all[i]
		if k.Failure == nil || k.Used != like.Used || k.Failure.Reason != like.Failure.Reason ||
			(k.Idle-like.Idle).Abs() > tolerance {
			continue
		}
		if k.At.Sub(before) > time.Second { // the first is long after the zero time
			n++
		}
		before = k.At
	}
	return n
}
