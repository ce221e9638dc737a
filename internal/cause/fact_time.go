package cause

import (
	"slices"
	"time"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

// Facts of time: how many of how many, since when, steady or now and then. What happened before the last success does
// not explain what fails now.

// The bounds of time.
const (
	recentEnough = 5 // number of later digests for which a failure that is over still has a verdict
	rareAmong    = 5 // one failure among so many is rare
	someAmong    = 12
	usualFrom    = 3 // successes make what is usual
)

// tries are the attempts that count for the failure: the probes of its run, and those that experiments repeated
// unchanged.
type tries struct {
	run      int // failed probes in a row, up to the failure
	failed   int // with repetitions
	repaired bool
}

// failing is the index of the failure to explain: the newest, if it is new enough; -1 for none.
func (e *Evidence) failing() int {
	for i := len(e.Recent) - 1; i >= 0 && i >= len(e.Recent)-recentEnough; i-- {
		if e.Recent[i].failure() != nil {
			return i
		}
	}
	return -1
}

// Fails reports whether there may be something to explain.
func (e *Evidence) Fails() bool {
	return e.failing() >= 0 || idleFails(e.Idle) || e.Application.suspicious()
}

// count counts the tries.
func (s *scene) count() tries {
	var t tries
	for i := s.at; i >= 0 && s.Recent[i].Failure != nil; i-- {
		t.run++
	}
	t.failed = max(1, t.run)
	for i := range s.made {
		if s.made[i].Kind != result.Again {
			continue
		}
		if s.made[i].Failure == nil {
			t.repaired = true
		} else {
			t.failed++
		}
	}
	return t
}

// lately is the window in which failures and successes are counted, and the failures in it.
func (s *scene) lately() (window []Digest, failed int) {
	window = s.Recent[max(0, len(s.Recent)-someAmong):]
	for i := range window {
		if window[i].failure() != nil {
			failed++
		}
	}
	return window, failed
}

// times notes how often it fails.
func (s *scene) times(k *known) {
	window, failed := s.lately()
	newest := s.Recent[len(s.Recent)-1].Failure != nil
	over := !newest || s.repaired
	k.note(timesTwice, s.failed >= 2 && !over, "%s", s.inRow())
	k.note(timesSteady, s.failed >= 3 && !over, "%s, and none succeeded since", s.inRow())
	silent := s.silent()
	k.note(timesSilent, k.has(timesTwice) && silent >= 2, "the last %d attempts got no answer", silent)
	dead, mixed := s.dead()
	k.note(timesDead, k.has(timesTwice) && (dead >= 3 || dead == 2 && !mixed),
		"in the last %d attempts nothing more was acknowledged", dead)
	all := 0
	for i := range s.Recent {
		if s.Recent[i].failure() != nil {
			all++
		}
	}
	rare := all*rareAmong <= len(s.Recent) && all <= 2
	k.note(timesOver, over && rare, "%d of %d probes failed, and the later ones succeeded", all, len(s.Recent))
	alternating := failed >= 2 && failed < len(window) && s.run < failed || s.repaired && s.failed >= 2
	k.note(timesSome, alternating, "%d of the last %d probes failed, others succeeded between them", failed,
		len(window))
	k.note(tlsSome, (k.has(wordHandshake) || k.has(wordNotTLS)) && (k.has(timesSome) || s.repaired),
		"the same handshake succeeds at other times")
	// A limit of the server's firewall refuses as a closed port does, by turns.
	k.note(refusedThere, k.has(wordRefused) && !alternating, k[endsOnItsSide])
}

// silent counts the newest tries in a row, of whatever phase, in which no answer came: of other failures, a lost packet
// makes a hang.
func (s *scene) silent() int {
	n := 0
	for i := s.at; i > s.at-s.run && noAnswer(s.Recent[i].Failure); i-- {
		n++
	}
	for i := range s.made {
		if f := s.made[i].Failure; s.made[i].Kind == result.Again && f != nil && noAnswer(f) {
			n++
		}
	}
	return n
}

// dead counts the newest tries in a row in which nothing of ours was acknowledged, and reports whether other tries of
// the run were acknowledged and had no answer: then a lost packet is likelier than a dead path. Where the request was
// acknowledged, what went unanswered is a keepalive: one lost packet, or a host that no longer knows the connection.
func (s *scene) dead() (n int, mixed bool) {
	for i := s.at; i > s.at-s.run; i-- {
		switch o := &s.Recent[i]; {
		case goneDead(o.Failure) && !o.Delivered && !mixed:
			n++
		case goneDead(o.Failure) && o.Delivered, o.Failure.Reason == result.HTTPResponseTimedOut:
			mixed = true
		}
	}
	if s.o.Delivered {
		return n, mixed // so were those that experiments repeated
	}
	for i := range s.made {
		if f := s.made[i].Failure; s.made[i].Kind == result.Again && f != nil && goneDead(f) {
			n++
		}
	}
	return n, mixed
}

// before notes what went before the failure.
func (s *scene) before(k *known) {
	start := s.at - max(0, s.run-1) // of the run
	here := s.o.elsewhere()
	successes, others, repeats, data := 0, 0, 0, 0
	var took, theirs []time.Duration // processing, and what of it was not our own lateness at least
	for i := range s.Recent {
		o := &s.Recent[i]
		if o.Failure != nil {
			continue
		}
		if !o.passed(here) {
			others++ // served by others than what fails now
			continue
		}
		if i < start {
			successes++
		}
		if o.SYNRepeats > 0 {
			repeats++
		}
		if o.Repeats > o.SYNRepeats {
			data++
		}
		if o.Processing > 0 && !o.Lost {
			took, theirs = append(took, o.Processing), append(theirs, o.Processing-o.Late)
		}
	}
	k.note(ledElsewhere, here != "", "it failed at %s, where a redirect led", here)
	k.note(workedBefore, successes > 0, "it worked before: %d remembered probes succeeded", successes)
	k.note(neverWorked, successes+others == 0 && s.failed >= 2, "none of %d remembered attempts succeeded", s.failed)
	// node does without an alert, with TLS 1.3 after a handshake that was complete on our side.
	k.note(certAsked, s.o.CertAsked && ends(s.f.Reason) && !k.has(wordTransfer) && successes == 0,
		"the server asks for a client certificate, and ends the connection before any answer: some do so where they do "+
			"not accept ours")
	k.note(synRepeated, repeats >= 2 && repeats*5 >= successes, "SYNs were retransmitted in %d probes that succeeded",
		repeats)
	k.note(dataRepeated, 2*data >= max(repeats, 1), "other segments than SYNs were sent again in %d probes that "+
		"succeeded: packets are lost", data)
	s.incident(k, start)
	for i := range s.Idle {
		served := s.Idle[i].Failure == nil && s.Idle[i].At.After(s.Recent[start].At.Add(-s.Recent[start].Took))
		k.note(idleServed, served, "a connection that was idle for %s was served at %s", s.Idle[i].Age, clock(s.Idle[i].At))
	}
	n := len(took)
	slow := func(answers int, by time.Duration) bool {
		return n >= 2+answers && slower(max(took[0], took[1]), slices.Min(theirs[n-answers:]), by)
	}
	k.note(slowerBefore, slow(slowAnswers, slowerBy) || slow(slowAnswers-1, slowerThanLoss),
		"answers became slower before the failure; the last took %s", shown(last(took)))
	if n < usualFrom {
		return
	}
	slices.Sort(took)
	usual := took[n/2]
	k.note(usuallyFast, usual < s.o.Timeout/4, "the answer usually takes %s, of %s allowed", shown(usual),
		shown(s.o.Timeout))
	k.note(usuallySlow, usual >= s.o.Timeout/2, "the answer usually takes %s, of %s allowed", shown(usual),
		shown(s.o.Timeout))
}

// slowAnswers is how many answers in a row have to be slow before it is a sign of load. On a path that loses packets
// one or two may be: a lost answer of one segment, and its retransmission, are not seen on our side.
const slowAnswers = 3

// slowerBy is what an answer has to take longer before it is a sign of load: a garbage collection, a busy CPU or
// a backend that has to be connected again take tens of milliseconds.
const slowerBy = 100 * time.Millisecond

// slowerThanLoss is more than the retransmission of an answer takes (TCP_RTO_MIN of Linux is 200 ms): two such answers
// in a row are enough.
const slowerThanLoss = 300 * time.Millisecond

func slower(before, after, by time.Duration) bool { return after > 3*before && after-before >= by }

func last(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	return took[len(took)-1]
}

// stillThere is how long a request is unanswered before it is known that its host is up: it has answered a keepalive.
const stillThere = classify.KeepAliveIdle * 3 / 2

// incident notes what else happened in this run of failures.
func (s *scene) incident(k *known, start int) {
	ended, busy, limits, hung := 0, 0, 0, 0
	for i := start; i < s.at; i++ {
		f := s.Recent[i].Failure
		if f == nil {
			continue
		}
		if ends(f.Reason) {
			ended++
		}
		o := &s.Recent[i]
		if o.Said.Limit != "" || f.Reason == result.H2Throttled {
			limits++
		}
		if noAnswer(f) && o.Delivered && o.Took >= stillThere {
			hung++
		}
		if o.Said.Limit != "" || o.Status == 503 && o.Said.Gateway == "" &&
			o.Said.Maintenance == "" {
			busy++
		}
	}
	k.note(endedFirst, ended > 0, "connections ended before new ones were refused, %d times in this incident", ended)
	k.note(hungFirst, hung > 0, "connections were accepted and not answered before new ones were not accepted, %d times "+
		"in this incident", hung)
	k.note(limitedNow, limits > 0, "the server asked us to slow down %d times in this incident", limits)
	k.note(busyNow, busy > 0, "the server answered 503 or 429 %d times in this incident", busy)
}

// addresses compares what became of the addresses of a name, where all were probed.
func (s *scene) addresses(k *known) {
	bad, alike := verdictOf(s.o.Addresses), 0
	if bad == "" {
		return
	}
	for i := s.at; i >= 0 && verdictOf(s.Recent[i].Addresses) == bad; i-- {
		alike++
	}
	k.note(addressesTwice, alike >= 2, "%s: %d probes in a row", bad, alike)
	k.note(addressesThrice, alike >= 3, "the same %d times in a row", alike)
	k.note(addressesFamily, oneFamily(s.o.Addresses), "all that fail are of one family, all that work of the other")
}

// verdictOf lists the addresses that fail while others work; empty where all are alike.
func verdictOf(all []AddressSeen) string {
	failed, works := "", 0
	for i, a := range all {
		if a.OK {
			works++
		} else if i >= 0 {
			failed += a.Addr.String() + " "
		}
	}
	if failed == "" || works == 0 {
		return ""
	}
	return failed + "fails while others work"
}

func oneFamily(all []AddressSeen) bool {
	ok, bad := map[bool]bool{}, map[bool]bool{}
	for _, a := range all {
		if a.OK {
			ok[a.Addr.Is4()] = true
		} else {
			bad[a.Addr.Is4()] = true
		}
	}
	return len(ok) == 1 && len(bad) == 1 && ok[true] != bad[true]
}
