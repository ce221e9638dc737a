package cause

import (
	"net/netip"
	"slices"

	"errno_exporter/prober/result"
)

// Facts of this host, of its egress and of names.

func (s *scene) host(k *known) {
	h := &s.Host
	k.note(hostDescriptors, h.DescriptorLimit > 0, "%d of %d file descriptors are open", h.Descriptors,
		h.DescriptorLimit)
	// Those of UDP, which questions to a resolver take, are not counted.
	k.note(hostPorts, h.Ports > 0 && !s.in(result.Resolve),
		"%d of %d local ports are used towards one destination, %d sockets are in TIME_WAIT",
		h.PortsUsed, h.Ports, h.TimeWait)
	k.note(hostTracker, h.ConntrackLimit > 0 && h.Conntrack >= h.ConntrackLimit-h.ConntrackLimit/20,
		"%d of %d entries of this host's connection tracker are used", h.Conntrack, h.ConntrackLimit)
	k.note(hostLate, k.has(wordTimedOut) && s.o.Late > s.o.Timeout/4,
		"the exporter waited for a CPU for %s of the probe's %s; CPU pressure %.0f %%, throttled for %s since the "+
			"start",
		shown(s.o.Late), shown(s.o.Timeout), 100*h.CPUPressure, h.Throttled)
	k.note(hostLate, s.is(result.LocalOverloaded), "the exporter was overloaded: the target's state is unknown")
	k.note(hostRule, k.has(wordDenied), "a rule of this host rejected it, nothing was sent")
}

func (s *scene) egress(k *known) {
	e := &s.Egress
	fresh := e.Known && !e.At.Before(s.o.At.Add(-s.o.Took)) // a check before the failure is no evidence of it
	k.note(egressDown, fresh && !e.Up, "no reference target is reachable either")
	k.note(egressUp, fresh && e.Up, "reference targets are reachable")
	reached := e.Others - e.Unreached
	k.note(egressElsewhere, !e.Known && reached > 0, "%d of %d other networks are reachable", reached,
		e.Others)
	k.note(egressNowhere, !e.Known && e.Down, "%d of %d targets, in several networks, are out of reach", e.OutOfReach,
		e.Targets)
	k.note(egressImpaired, e.Impaired >= 2, "connections to %d unrelated networks lost packets or were reset in the "+
		"same minute", e.Impaired)
}

func (s *scene) names(k *known) {
	answer := string(s.f.Reason)
	if s.f.Extended != nil {
		answer += ", " + s.f.Extended.Name()
	}
	if s.f.Origin == result.Peer {
		answer = "the resolver answered: " + answer
	} else {
		answer = "the resolver answered some of the queries, each time" // such as those for IPv4 alone
	}
	k.note(nameAnswered, s.o.Answered && (s.f.Origin == result.Peer || s.inPart() >= partly), "%s", answer)
	k.note(nameElsewhere, s.o.OtherDNS && len(s.o.Fresh) > 0, "the other resolver answers")
	stale := s.o.OtherDNS && len(s.o.Fresh) > 0 && s.o.Addr.IsValid() && !s.in(result.Resolve) &&
		!slices.Contains(s.o.Fresh, s.o.Addr)
	k.note(nameNotHere, stale, "%s is not among the addresses that the other resolver returns", s.o.Addr)
	was := s.moved()
	k.note(nameMoved, was.IsValid(), "%s was resolved to %s while it worked, and now to %s, where nothing has worked",
		s.o.Host, was, s.o.Addr)
	k.note(nameHome, was.IsValid() && s.o.Addr.IsLoopback() && !was.IsLoopback(),
		"%s, which was resolved to %s while it worked, is resolved to this host itself: %s", s.o.Host, was, s.o.Addr)
	k.note(nameFile, was.IsValid() && !s.o.Answered,
		"the hosts file has %s for %s, which was resolved to %s while it worked", s.o.Addr, s.o.Host, was)
}

// partly is how often in a row a resolver has to answer only some of the queries: of few, packets may have been lost.
const partly = 5

// inPart counts the newest failures in a row in which the resolver answered some of the queries.
func (s *scene) inPart() int {
	n := 0
	for i := s.at; i > s.at-s.run && s.Recent[i].Answered; i-- {
		n++
	}
	return n
}

// moved is the address that the failing name had while it worked, if it has others now: the last successes were all
// there, and none was at the address that fails. Of a name whose addresses take turns the answers have some in common,
// or the successes are at several.
func (s *scene) moved() (was netip.Addr) {
	there := 0
	for i := s.at - 1; i >= 0 && s.o.Host != "" && s.o.Addr.IsValid(); i-- {
		o := &s.Recent[i]
		if o.Failure != nil || o.Host != s.o.Host {
			continue
		}
		if there == 0 {
			was = o.Addr
		}
		other := o.Addr != was || slices.Contains(s.o.Answers, o.Addr)
		if there < usualFrom && other || slices.Contains(o.Answers, s.o.Addr) {
			return netip.Addr{}
		}
		there++
	}
	if there < usualFrom {
		return netip.Addr{}
	}
	return was
}

// wire notes what the socket saw.
func (s *scene) wire(k *known) {
	o := s.o
	k.note(wireProgress, k.has(wordTransfer) && o.Progress && s.is(result.HTTPResponseTimedOut),
		"bytes were still arriving at the deadline of %s%s", shown(o.Timeout), s.share())
	k.note(wireHole, o.Hole, "the end of the answer arrived and its beginning did not")
	k.note(wireSYNACKs, k.has(wordDead) && synACKsAgain(o) && s.synACKs(),
		"the server repeated its SYN-ACK: %d segments arrived and none of ours was acknowledged", o.Segments)
	k.note(wireTaken, k.has(wordDead) && o.Delivered, "the request was acknowledged, and later keepalives were not: its "+
		"host forgot the connection, or they were lost")
	k.note(helloTaken, s.is(result.TLSTimedOut) && o.Delivered, "the ClientHello was acknowledged, and not answered")
	gaveUp := k.has(wordEnds) || k.has(wordStatus) && slices.Contains(incomplete, o.Status)
	k.note(wireUntaken, gaveUp && o.Stuck, "the server gave up before our request had arrived: it was not acknowledged, "+
		"though it was sent again more than once")
	k.note(wireLossy, o.Lost && k.has(wordHelloEnds), "segments of the handshake were lost")
	usual := int64(0)
	for i := range s.Recent {
		if r := &s.Recent[i]; r.Failure == nil {
			usual = max(usual, r.Received)
		}
	}
	k.note(wireSmall, k.has(wordDead) && o.Sent > 0 && o.Sent < smallAnswer, "the data sent fits into one small packet")
	k.note(wireFast, usual > 0 && usual < smallAnswer, "answers have at most %d bytes: none of their packets is large",
		usual)
}

// incomplete are the statuses with which servers answer requests that did not arrive as a whole: 408 by its definition
// (RFC 9110 section 15.5.9), and what applications make of the error of reading.
var incomplete = []int{400, 408, 500}

// synACKsAgain reports whether more arrived than the SYN-ACK and one repetition, and nothing of ours was acknowledged.
func synACKsAgain(o *Digest) bool {
	return !o.Arrived && !o.Delivered && o.Received == 0 && o.Segments >= 3
}

// synACKs reports whether at least two tries of the run, and more than half of those whose handshake came to its end,
// had the SYN-ACK repeated: a full queue does that each time, and a lost segment now and then.
func (s *scene) synACKs() bool {
	dead, repeated := 0, 0
	for i := s.at; i > s.at-s.run; i-- {
		o := &s.Recent[i]
		if !goneDead(o.Failure) {
			continue
		}
		dead++
		if synACKsAgain(o) {
			repeated++
		}
	}
	return repeated >= 2 && 2*repeated > dead
}

// smallAnswer fits into one packet of any path.
const smallAnswer = 1000

// share is how much of the announced body had come.
func (s *scene) share() string {
	if s.o.Announced == 0 {
		return ""
	}
	return ", " + decimal(s.o.Received) + " of at least " + decimal(s.o.Announced) + " bytes"
}

// ends notes who ended the connection, as far as it shows.
func (s *scene) ends(k *known) {
	o, r := s.o, s.o.Reset
	if !k.has(wordEnds) && !k.has(wordHelloEnds) && !k.has(wordRefused) {
		return
	}
	reset := s.is(result.TCPReset, result.TCPRefused)
	measured := s.first(result.ResetDistance)
	near := o.Addr.IsLoopback()
	switch {
	case r != nil && r.Sender == result.Middlebox:
		k.note(endsNearer, true, "the reset came %s", r)
	case r != nil && r.Sender == result.ThisHost || s.f.Origin == result.Local:
		k.note(endsHere, true, "the reset came from this host itself")
	case o.Proxied:
		k.note(endsUnseen, true, "the connection leads to the proxy: whether the proxy or the server ended it is "+
			"unknown")
		k.note(endsProxied, true, "%s", k[endsUnseen])
	case reset && r != nil && r.Sender == result.EndHost && !r.Doubtful() && (r.Live || s.is(result.TCPRefused)):
		k.note(endsOnItsSide, true, "the reset came %s", r)
	case reset && near:
		k.note(endsOnItsSide, true, "the server is on this host: there is no path")
	case reset && r == nil && measured != nil && measured.Sender == result.Middlebox:
		k.note(endsNearer, true, "%s", distanceText(measured))
	case reset && r == nil && measured != nil && measured.Sender == result.ThisHost:
		k.note(endsHere, true, "%s", distanceText(measured))
		k.note(measuredHere, true, "%s", distanceText(measured))
	case reset && r == nil && measured != nil && measured.Sender == result.EndHost:
		k.note(endsOnItsSide, true, "%s", distanceText(measured))
	case reset && r.Doubtful():
		k.note(endsUnseen, true, "the reset came %s; another one was ahead of the stream, as those of injectors are, "+
			"which may send with the server's TTL", r)
	case reset && r != nil:
		k.note(endsUnseen, true, "the reset came %s: a middlebox at the same distance may send the same", r)
	case reset:
		k.note(endsUnseen, true, "the sender of the reset was not captured")
		k.note(endsUncaptured, true, "%s", k[endsUnseen])
	case ends(s.f.Reason) && s.f.Reason != result.QUICReset:
		k.note(endsOnItsSide, true, "the end was orderly (%s): the server's side sent it", s.f.Reason)
	}
}
