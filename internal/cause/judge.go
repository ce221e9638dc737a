package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"errno_exporter/prober"
)

// How a verdict is found: the first rule that the evidence meets, from what is certain to what is only likely. What this host is short of
// comes first, then the way out and the name, what a peer said in so many words, what changing one thing has shown, and at last patterns
// over time.

// recentEnough is for how many observations a failure that is over still has a verdict.
const recentEnough = 5

// Judge names the cause; ok is false where nothing failed of late.
func Judge(e *Evidence) (v Verdict, ok bool) {
	o := e.failing()
	if o == nil {
		return e.judgeKept()
	}
	f := o.Failure
	if f == nil {
		f = o.Failed
	}
	if f.Reason == prober.Abandoned {
		return Verdict{}, false
	}
	j := &judge{Evidence: e, o: o, f: f}
	for _, rule := range rules {
		if v := rule(j); v.Cause != "" {
			v.Evidence = append([]string{j.said()}, v.Evidence...)
			return v, true
		}
	}
	v = Verdict{Unknown, Low, []string{j.said()}}
	if o.Reset != nil {
		v.Evidence = append(v.Evidence, "the reset came "+o.Reset.String())
	}
	return v, true
}

// Ails reports whether there is a failure to judge among what was observed.
func (e *Evidence) Ails() bool { return e.failing() != nil }

// failing is the failure to judge: the newest, if it is new enough.
func (e *Evidence) failing() *Observation {
	for i := len(e.Recent) - 1; i >= 0 && i >= len(e.Recent)-recentEnough; i-- {
		if o := &e.Recent[i]; o.Failure != nil || o.Failed != nil {
			return o
		}
	}
	return nil
}

// judge is a failure with all the evidence.
type judge struct {
	*Evidence
	o *Observation
	f *prober.Failure
}

// said is the failure itself, as evidence.
func (j *judge) said() string { return j.f.Sentence() }

func (j *judge) is(reasons ...prober.Reason) bool { return slices.Contains(reasons, j.f.Reason) }

// family reports whether the reason is of one of the families, such as "tls.cert".
func (j *judge) family(families ...string) bool {
	return slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(string(j.f.Reason), f+".") })
}

var none = Verdict{}

func verdict(c Cause, sure Confidence, evidence string, args ...any) Verdict {
	return Verdict{c, sure, []string{fmt.Sprintf(evidence, args...)}}
}

// rules, in their order.
var rules = []func(*judge) Verdict{
	(*judge).shortOfSomething, (*judge).egress, (*judge).names, (*judge).spoken, (*judge).addresses, (*judge).changed, (*judge).rejected,
	(*judge).answered, (*judge).once, (*judge).restarted, (*judge).overTime, (*judge).unanswered,
}

func (j *judge) shortOfSomething() Verdict {
	h := &j.Host
	switch {
	case j.is(prober.LocalFDExhausted):
		return verdict(LocalDescriptors, High, "%d of %d descriptors are open", h.Descriptors, h.DescriptorLimit)
	case j.is(prober.LocalPortExhausted):
		return verdict(LocalPorts, High, "%d of %d local ports are used towards one destination, %d sockets are in TIME_WAIT", h.PortsUsed, h.Ports, h.TimeWait)
	case j.is(prober.LocalOverloaded):
		return verdict(LocalStarved, High, "the exporter itself had no time for the probe: nothing is known of the target")
	case j.o.Late > j.o.Timeout/4 && strings.HasSuffix(string(j.f.Reason), "timed_out"):
		return verdict(LocalStarved, High, "the exporter's goroutines waited for a processor for %s of the %s that the probe had; processor pressure %.0f %%, throttled for %s since the start", j.o.Late.Round(time.Millisecond), j.o.Timeout.Round(time.Millisecond), 100*h.CPUPressure, h.Throttled)
	}
	return none
}

// OutOfReach reports whether our own way out would explain a failure: the name is not resolved though the resolver did not say that it does not
// exist, or the connection, or the one to the proxy, does not come about, and it is not the peer that refuses. nil is no failure. The alert
// ErrnoEgressDown judges alike (monitoring/recording.yml).
func OutOfReach(f *prober.Failure) bool {
	if f == nil {
		return false
	}
	switch f.Reason {
	case prober.DNSNameNotResolved, prober.DNSNoData, prober.DNSRefused, prober.LocalFDExhausted, prober.LocalOverloaded, prober.LocalPortExhausted, prober.ProbeConfig, prober.Abandoned:
		return false
	}
	return f.Phase == prober.Resolve || (f.Phase == prober.Connect || f.Phase == prober.Proxy) && f.Origin != prober.Peer
}

func (j *judge) egress() Verdict {
	switch {
	case !OutOfReach(j.f):
		return none
	case j.Egress.Known && !j.Egress.Up:
		return verdict(NoEgress, High, "no control target is reached either")
	case j.is(prober.LocalNoRoute):
		return verdict(NoEgress, Medium, "this host has no route to %s: nothing left it", j.o.Addr)
	case !j.Egress.Known && j.Egress.Others >= 2 && j.Egress.Unreached == j.Egress.Others:
		return verdict(NoEgress, Medium, "all %d other targets are out of reach, too", j.Egress.Others)
	}
	return none
}

func (j *judge) names() Verdict {
	stale := j.o.OtherDNS && len(j.o.Fresh) > 0 && j.o.Addr.IsValid() && !slices.Contains(j.o.Fresh, j.o.Addr)
	if stale && (j.f.Phase == prober.Connect || j.f.Phase == prober.TLS || j.f.Phase == prober.Processing) {
		return verdict(DNSStale, High, "%s is not among the %d addresses that the other resolver gives", j.o.Addr, len(j.o.Fresh))
	}
	if j.f.Phase != prober.Resolve || !j.family("dns") {
		return none
	}
	if j.o.OtherDNS {
		return verdict(DNSBroken, High, "the other resolver answers")
	}
	return verdict(DNSBroken, High, "the name was asked for, and this is what came of it: %s", j.f.Reason)
}

// spoken are failures whose reason is the cause.
func (j *judge) spoken() Verdict {
	switch {
	case j.is(prober.HTTPRateLimited, prober.H2Throttled):
		return verdict(RateLimited, High, "the server said so (status %d)", j.o.Status)
	case j.is(prober.H2StreamRefused):
		return verdict(RateLimited, Medium, "the server refused the stream before it looked at it")
	case j.family("tls.cert"):
		return verdict(Certificate, High, "the chain is in the record")
	case j.is(prober.TLSVersionOrCipherMismatch, prober.TLSALPNMismatch, prober.TLSUnrecognizedName, prober.TLSBadClientAuthCert, prober.TLSNotTLS):
		return verdict(TLSMismatch, High, "the handshake ended by it")
	case j.is(prober.ProxyDenied, prober.ProxyAuthRequired):
		return verdict(ProxyPolicy, High, "the proxy said so")
	case j.is(prober.ProxyFailed):
		return verdict(ProxyPolicy, Medium, "the proxy gave no tunnel")
	case j.is(prober.AuthTokenDenied):
		return verdict(RequestRejected, High, "the token endpoint refuses our credentials")
	}
	return none
}

// addresses compares what became of the addresses of a name, where all were probed.
func (j *judge) addresses() Verdict {
	ok := map[bool]int{} // by being IPv4
	bad := map[bool]int{}
	var worst []string
	for _, a := range j.o.Addresses {
		if a.OK {
			ok[a.Addr.Is4()]++
		} else {
			bad[a.Addr.Is4()]++
			worst = append(worst, a.Addr.String())
		}
	}
	switch good, failed := ok[true]+ok[false], bad[true]+bad[false]; {
	case good == 0 || failed == 0:
		return none
	case bad[true] > 0 && ok[true] == 0 && bad[false] == 0, bad[false] > 0 && ok[false] == 0 && bad[true] == 0:
		return verdict(OneFamilyBroken, High, "all addresses of one family fail (%s), and all %d of the other work", strings.Join(worst, ", "), good)
	case failed <= good:
		return verdict(OneBadAddress, High, "%s fails, and %d others work at the same time", strings.Join(worst, ", "), good)
	}
	return none
}

// changed is what control attempts have shown: one thing was changed, and it worked.
func (j *judge) changed() Verdict {
	switch {
	case j.cures(prober.OtherAddress) && j.f.Phase != prober.Validate:
		return verdict(OneBadAddress, High, "%s fails again, another address of the name works", j.o.Addr)
	case j.cures(prober.OtherFamily) && j.f.Phase != prober.Validate:
		return verdict(OneFamilyBroken, High, "%s fails again, the other family works", j.o.Addr)
	case j.cures(prober.SmallSegments):
		return verdict(PMTUBlackHole, High, "the same again fails, with segments of 1000 bytes it works")
	case j.is(prober.TCPAborted) && j.o.Hole:
		return verdict(PMTUBlackHole, Medium, "the end of the answer arrived and its beginning did not")
	case j.cures(prober.HTTP1) && j.o.Protocol == "HTTP/2.0":
		return verdict(H2Only, High, "HTTP/2 fails again, HTTP/1.1 works")
	case j.cures(prober.PlainRequest):
		return verdict(RequestRejected, High, "the same again fails, a plain GET works")
	case j.cures(prober.MoreTime):
		return j.slow("three times the timeout is enough")
	case j.is(prober.HTTPResponseTimedOut) && j.f.Phase == prober.Transfer && j.o.Progress:
		return verdict(TimeoutTooShort, High, "bytes were still coming when the deadline struck after %s", j.o.Timeout.Round(time.Millisecond))
	}
	return none
}

// slow tells a server that has become slow from a timeout that never was enough, by what went before.
func (j *judge) slow(evidence string) Verdict {
	if usual, known := j.usualProcessing(); known && usual < j.o.Timeout/4 {
		v := verdict(ServerOverloaded, Medium, "the answer usually takes %s", usual.Round(time.Millisecond))
		v.Evidence = append(v.Evidence, evidence)
		return v
	}
	return verdict(TimeoutTooShort, High, "%s", evidence)
}

// usualProcessing is the median processing of the successes; unknown with fewer than three.
func (j *judge) usualProcessing() (time.Duration, bool) {
	var times []time.Duration
	for i := range j.Recent {
		if o := &j.Recent[i]; o.Failure == nil && o.Processing > 0 {
			times = append(times, o.Processing)
		}
	}
	if len(times) < 3 {
		return 0, false
	}
	slices.Sort(times)
	return times[len(times)/2], true
}

// rejected is what a box on the way, or this host, said in the server's place.
func (j *judge) rejected() Verdict {
	r := j.o.Reset
	switch {
	case j.is(prober.LocalDenied):
		return verdict(FirewallReject, High, "a rule of this host forbids it")
	case j.f.Origin == prober.Local && j.is(prober.TCPRefused):
		return verdict(FirewallReject, High, "a rule of this host answered")
	case r != nil && r.Sender == prober.Middlebox && j.is(prober.TCPReset, prober.TCPRefused):
		return verdict(FirewallReject, High, "the reset came %s", r)
	case j.o.ICMP != nil && prohibits(j.o.ICMP):
		return verdict(FirewallReject, High, "ICMP type %d code %d from %s", j.o.ICMP.Type, j.o.ICMP.Code, j.o.ICMP.From)
	case j.o.ICMP != nil && j.is(prober.TCPRefused) && j.o.ICMP.From != j.o.Addr:
		return verdict(FirewallReject, High, "ICMP port unreachable from %s, which is not the server", j.o.ICMP.From)
	case j.is(prober.TCPAddressUnreachable, prober.QUICAddressUnreachable) && j.o.ICMP != nil && !j.seldom():
		return verdict(PathOutage, High, "ICMP type %d code %d from %s", j.o.ICMP.Type, j.o.ICMP.Code, j.o.ICMP.From)
	}
	return none
}

// prohibits reports whether an ICMP message says that a rule forbids the way (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1).
func prohibits(i *prober.ICMP) bool {
	if i.From.Is4() {
		return i.Type == 3 && slices.Contains([]uint8{9, 10, 13}, i.Code)
	}
	return i.Type == 1 && slices.Contains([]uint8{1, 5, 6}, i.Code)
}

// answered judges what a complete response says.
func (j *judge) answered() Verdict {
	switch s := j.o.Status; {
	case j.f.Phase != prober.Validate:
		return none
	case j.is(prober.HTTPError) && (s == 503 || s == 504):
		return verdict(ServerOverloaded, Medium, "the server, or the load balancer before it, answers %d", s)
	case j.is(prober.HTTPError) && s >= 500:
		return verdict(ServerError, High, "the server answers %d", s)
	case j.is(prober.HTTPError) && s >= 400:
		return verdict(RequestRejected, High, "the server answers %d", s)
	}
	return verdict(ResponseRejected, High, "the module's rules refuse it: %s", j.f.Reason)
}

// enoughToBeRare is how many observations a single failure must stand among.
const enoughToBeRare = 5

// seldom reports whether failures are rare among what was observed.
func (j *judge) seldom() bool {
	failures := 0
	for i := range j.Recent {
		if j.Recent[i].Failure != nil || j.Recent[i].Failed != nil {
			failures++
		}
	}
	return len(j.Recent) >= enoughToBeRare && failures*enoughToBeRare <= len(j.Recent) && failures <= 2
}

// once is a failure that is over, and hardly has a like.
func (j *judge) once() Verdict {
	newest := &j.Recent[len(j.Recent)-1]
	again, repeated := j.control(prober.Again)
	over := newest.Failure == nil || repeated && again.Failure == nil
	if !over || !j.seldom() {
		return none
	}
	if v := j.keptToo(); v.Cause != "" {
		return v
	}
	return verdict(Transient, Medium, "%d probes were observed, what came after it succeeded", len(j.Recent))
}

// keptToo is a verdict by kept connections, beside a failure of a fresh one.
func (j *judge) keptToo() Verdict {
	v, _ := j.judgeKept()
	return v
}

// restarted is a server that ends connections, and then is not there for a while.
func (j *judge) restarted() Verdict {
	refused, ended, steps := false, false, []string{}
	for i := range j.Recent {
		f := j.Recent[i].Failure
		if f == nil {
			continue
		}
		switch f.Reason {
		case prober.TCPRefused:
			refused = refused || f.Origin == prober.Peer
		case prober.TCPReset, prober.TCPClosed, prober.H2GoAway, prober.QUICReset, prober.QUICClosed:
			ended = true
		default:
			continue
		}
		if text := string(f.Reason); len(steps) == 0 || steps[len(steps)-1] != text {
			steps = append(steps, text)
		}
	}
	switch {
	case refused && ended:
		return verdict(ServerRestarted, High, "connections ended and new ones were refused: %s", strings.Join(steps, ", then "))
	case refused && j.is(prober.TCPRefused):
		return verdict(ServerRestarted, Medium, "the host answers, and nothing listens at the port")
	case j.is(prober.H2GoAway):
		return verdict(ServerRestarted, Medium, "the server says that it is going away")
	}
	return none
}

// overTime judges by what went before.
func (j *judge) overTime() Verdict {
	busy, repeats := 0, 0
	for i := range j.Recent {
		o := &j.Recent[i]
		if o.Failure != nil && (o.Status == 503 || o.Status == 504 || o.Failure.Reason == prober.HTTPRateLimited) {
			busy++
		}
		if o.Failure == nil && o.SYNRepeats > 0 {
			repeats++
		}
	}
	usual, known := j.usualProcessing()
	switch {
	case busy > 0 && j.is(prober.TCPReset, prober.TCPClosed, prober.HTTPResponseTimedOut, prober.TCPRefused, prober.TLSTimedOut):
		return verdict(ServerOverloaded, Medium, "%d of the last %d probes were answered 503, 504 or 429", busy, len(j.Recent))
	case j.is(prober.TCPTimedOut) && repeats > 1 && !j.allFail():
		return verdict(ServerOverloaded, Medium, "SYNs were repeated in %d probes that succeeded: the accept queue is full at times", repeats)
	case j.is(prober.HTTPResponseTimedOut) && j.o.Delivered && known && usual < j.o.Timeout/4:
		return verdict(ServerOverloaded, Medium, "the request was acknowledged and the connection is alive; the answer usually takes %s", usual.Round(time.Millisecond))
	case j.is(prober.HTTPResponseTimedOut) && known && usual >= j.o.Timeout/2:
		return verdict(TimeoutTooShort, Medium, "the answer usually takes %s of the %s allowed", usual.Round(time.Millisecond), j.o.Timeout.Round(time.Millisecond))
	case j.is(prober.HTTPResponseTimedOut, prober.TLSTimedOut, prober.TCPStalled) && j.o.Delivered:
		return verdict(ServerOverloaded, Medium, "what we sent was acknowledged and the connection is alive, but the application does not answer")
	case j.is(prober.TCPReset) && j.rising():
		return verdict(ServerOverloaded, Medium, "the answer took longer and longer before")
	case j.is(prober.TCPReset, prober.TCPClosed) && !j.allFail():
		return verdict(ServerOverloaded, Low, "some connections end and others are served, by the server itself")
	case j.is(prober.TCPReset, prober.TCPClosed) && j.f.Phase != prober.Connect && j.handshakeAlone():
		return verdict(RequestRejected, Medium, "the connection stands, and ends as soon as the request is there, every time")
	}
	return none
}

// handshakeAlone reports whether connecting without a request was seen to work.
func (j *judge) handshakeAlone() bool {
	for _, kind := range []prober.ControlKind{prober.TLSOnly, prober.TCPOnly} {
		if c, made := j.control(kind); made && c.Failure == nil {
			return true
		}
	}
	return false
}

func (j *judge) allFail() bool {
	return !slices.ContainsFunc(j.Recent, func(o Observation) bool { return o.Failure == nil })
}

// rising reports whether processing took at least three times as long in the last successes before the failure as in the first ones.
func (j *judge) rising() bool {
	var times []time.Duration
	for i := range j.Recent {
		if o := &j.Recent[i]; o.Failure == nil && o.Processing > 0 {
			times = append(times, o.Processing)
		}
	}
	n := len(times)
	return n >= 4 && times[n-1] > 3*times[0] && times[n-2] > 3*times[1]
}

// unanswered is silence, where everything else has been looked at.
func (j *judge) unanswered() Verdict {
	trace, traced := j.control(prober.Trace)
	switch {
	case j.is(prober.TCPTimedOut, prober.QUICTimedOut) && j.f.Phase == prober.Connect && (j.Egress.Known && j.Egress.Up || j.Egress.Others > j.Egress.Unreached || traced):
		v := verdict(FirewallDrop, Medium, "other destinations are reached")
		if traced {
			v.Evidence = append(v.Evidence, traceSays(trace.Hops))
		}
		return v
	case j.is(prober.TCPAborted, prober.TCPAddressUnreachable, prober.QUICTimedOut, prober.QUICAddressUnreachable):
		v := verdict(PathOutage, Medium, "the connection stood, and then nothing of ours was acknowledged any more")
		if j.f.Phase == prober.Connect {
			v = verdict(PathOutage, Medium, "the address is out of reach, and other destinations are not known to be")
		}
		if traced {
			v.Evidence = append(v.Evidence, traceSays(trace.Hops))
		}
		return v
	}
	return none
}

// traceSays is a trace in a sentence.
func traceSays(hops []prober.TraceHop) string {
	last := "no router answers"
	for i, hop := range hops {
		if hop.Reached {
			return fmt.Sprintf("a SYN reaches the target after %d hops", i+1)
		}
		if hop.From.IsValid() {
			last = fmt.Sprintf("the last router that answers is %s, %d hops away", hop.From, i+1)
		}
	}
	return last
}
