package cause

import (
	"fmt"
	"time"

	"errno_exporter/prober/result"
)

// Facts of experiments. One proves something only as A-B-A: the original fails, with one thing changed it works, and
// the original fails again. They count for the failure that they were made for, and expire.

// experimentsFor are the experiments that count for the digest at an index.
func (e *Evidence) experimentsFor(at int) []result.Experiment {
	x, o := e.Experiments, &e.Recent[at]
	if x == nil {
		return nil
	}
	f := o.failure()
	if f.Reason != x.After.Reason || f.Phase != x.After.Phase || o.Addr != x.Addr || o.At.Sub(x.At) > experimentsAge {
		return nil
	}
	for i := range e.Recent[:at] {
		if r := &e.Recent[i]; r.Failure == nil && r.At.After(x.At) {
			return nil // it worked in between
		}
	}
	return x.Made
}

// first finds an experiment of a kind.
func (s *scene) first(kind result.ExperimentKind) *result.Experiment {
	for i := range s.made {
		if s.made[i].Kind == kind {
			return &s.made[i]
		}
	}
	return nil
}

// proved reports whether a change was shown to be what matters: it worked at least as often as it failed, the original
// failed again after it worked, and the original never worked. rounds is how often the change worked; 0 where nothing
// is shown.
func (s *scene) proved(of func(result.ExperimentKind) bool) (kind result.ExperimentKind, rounds int) {
	works, fails, again := 0, 0, false
	for i := range s.made {
		switch c := &s.made[i]; {
		case c.Kind == result.Again && c.Failure == nil:
			return "", 0
		case c.Kind == result.Again:
			again = works > 0
		case of(c.Kind) && c.Failure == nil:
			works, kind = works+1, c.Kind
		case c.Kind == kind:
			fails++
		}
	}
	if works < fails || !again {
		return "", 0
	}
	return kind, works
}

func (s *scene) experiments(k *known) {
	for _, p := range []struct {
		fact     fact
		kind     result.ExperimentKind
		sentence string
	}{
		{provedAddress, result.OtherAddress, "another address of the name works, and this one fails again"},
		{provedFamily, result.OtherFamily, "the other family works, and this one fails again"},
		{provedSmall, result.SmallSegments, "with segments of 1000 bytes it works, without them it fails again"},
		{provedHTTP1, result.HTTP1, "over HTTP/1.1 it works, and over HTTP/2 it fails again"},
		{provedPlain, result.PlainRequest, "a plain request of the same method works, and the module's fails again"},
		{provedTime, result.MoreTime, "with three times the timeout it works, with the configured one it fails again"},
		{namesWork, result.FreshAddress, "the other resolver's address works, and this one fails again"},
	} {
		_, rounds := s.proved(func(k result.ExperimentKind) bool { return k == p.kind })
		k.note(p.fact, rounds > 0, "%s", p.sentence)
		k.note(provedTwice, rounds > 1, "the same result %d times in a row", rounds)
	}
	s.hello(k)
	s.intercepted(k)
	k.note(experimentsMade, len(s.made) > 0, "%d experiments were made", len(s.made))
	small, time := s.first(result.SmallSegments), s.first(result.MoreTime)
	k.note(triedSmall, small != nil && !k.has(provedSmall), "small segments do not help")
	if !k.has(wireSmall) {
		k[wireSmall] = k[triedSmall]
	}
	k.note(triedTime, time != nil && time.Failure != nil, "three times the timeout does not help")
	tried := s.first(result.PlainRequest)
	k.note(plainAnyway, s.o.Plain || tried != nil && tried.Failure != nil, "%s",
		map[bool]string{true: "the request is a plain GET", false: "a plain request fails, too"}[s.o.Plain])
	k.note(innocent, !s.byTTLAlone() && k.has(plainAnyway) && k.has(timesSteady) && !k.has(timesSome), "%s; %s",
		k[timesSteady], k[plainAnyway])
	s.reach(k)
}

// byTTLAlone reports whether the reset's TTL is all that is known of its sender: a device may send with the server's.
func (s *scene) byTTLAlone() bool {
	c := s.first(result.ResetDistance)
	return s.o.Reset == nil && c != nil && c.Sender == result.EndHost
}

// beside notes from where a closed port of the host is refused, compared with the target's: by a capture, or measured.
func (s *scene) beside(k *known, c *result.Experiment) {
	if r := s.o.Reset; r != nil && c.TTL != 0 {
		k.note(closedPortElsewhere, c.TTL != r.TTL,
			"a closed port of the same host is refused from elsewhere (TTL %d, here %d)", c.TTL, r.TTL)
		k.note(closedPortAlike, c.TTL == r.TTL, "a closed port of the same host is refused by the same sender (TTL %d)",
			c.TTL)
		k.note(closedPortFarther, r.Sender == result.Ambiguous && c.TTL < r.TTL &&
			result.InitialTTL(c.TTL) == result.InitialTTL(r.TTL),
			"a closed port of the same host is refused from farther away (TTL %d, here %d)", c.TTL, r.TTL)
		return
	}
	measured := s.first(result.ResetDistance)
	if measured == nil || c.Than == "" {
		return
	}
	k.note(closedPortElsewhere, c.Than != result.Alike,
		"a closed port of the same host is refused from elsewhere (%s than here: TTL %d)", c.Than, measured.RSTTTL)
	k.note(closedPortAlike, c.Than == result.Alike,
		"a closed port of the same host is refused from as far away (TTL %d)", measured.RSTTTL)
	k.note(closedPortFarther, c.Than == result.Farther && measured.Sender == result.Ambiguous,
		"a closed port of the same host is refused from farther away than this one (TTL %d)", measured.RSTTTL)
}

// reach notes what a closed port of the host and the path trace show.
func (s *scene) reach(k *known) {
	if c := s.first(result.ClosedPort); c != nil && c.Failure != nil && c.Failure.Reason == result.TCPRefused {
		k.note(closedPortAnswers, true, "a closed port of the same host refuses at once")
		s.beside(k, c)
	}
	if c := s.first(result.ClosedPort); c != nil && c.Failure != nil && c.Failure.Reason == result.TCPTimedOut {
		k.note(closedPortSilent, true, "a closed port of the same host does not answer, either")
	}
	if c := s.first(result.PathTrace); c != nil && len(c.Hops) > 0 && !c.Hops[len(c.Hops)-1].Reached {
		k.note(traceEndsBefore, true, "%s", pathText(c.Hops))
	}
}

// Whether something near us answers in place of the server.

// shortestWay is a round trip in which light gets 10 km far in fibre: no public address behind a router is nearer.
const shortestWay = 100 * time.Microsecond

// near reports whether the experiment shows that the target's address is answered from our own link: the SYN that lived
// for one hop was accepted, at once. A network that hides its routers takes longer.
func near(e *result.Experiment) bool {
	return e.Kind == result.OneHop && e.Failure == nil && e.RoundTrip > 0 && e.RoundTrip < shortestWay
}

// intercepted notes what the experiments show of an interception.
func (s *scene) intercepted(k *known) {
	for i := range s.made {
		e := &s.made[i]
		k.note(provedIntercepted, e.Kind == result.NeverRouted && e.Failure == nil,
			"an address that is never routed accepts connections from here: the phase connect measures what accepts "+
				"them, not the server")
		k.note(provedNear, near(e), "%s", acceptedText(e))
	}
}

// interception is whether the experiments that count show an interception; nil if none of them can.
func (s *scene) interception() *bool {
	never, hop := s.first(result.NeverRouted), s.first(result.OneHop)
	if never == nil && hop == nil {
		return nil
	}
	found := never != nil && never.Failure == nil || hop != nil && near(hop)
	return &found
}

// acceptedText is what a SYN showed that nothing should have accepted, in a sentence.
func acceptedText(e *result.Experiment) string {
	switch {
	case e.Failure != nil && e.Kind == result.NeverRouted:
		return "not accepted: " + e.Failure.Sentence()
	case e.Failure != nil:
		return "not accepted: there are routers before the target, as it should be"
	case e.Kind == result.NeverRouted:
		return "ACCEPTED: something near us answers for every address; the phase connect measures it, not the server"
	case near(e):
		return fmt.Sprintf("ACCEPTED after %s: something on our own link answers for the target's public address; the "+
			"phase connect measures it, not the server", e.RoundTrip.Round(time.Microsecond))
	}
	return fmt.Sprintf("accepted after %s: the network hides its routers, or a proxy on our own link answers",
		e.RoundTrip.Round(time.Microsecond))
}
