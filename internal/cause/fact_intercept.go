package cause

import (
	"fmt"
	"time"

	"errno_exporter/prober/result"
)

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
