package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"errno_exporter/prober"
)

// fact is something that the evidence says. Facts are computed once for a verdict; the table is written in them.
type fact int

// The failure's own words: what phase, reason and origin say. No cause is sure by them alone.
const (
	fails     fact = iota // there is a failure of fresh connections to explain
	wordLocal             // this host or this process, before anything left it
	wordDescriptors
	wordPorts
	wordNoRoute
	wordDenied     // a rule of this host
	wordOutOfReach // our own outbound connectivity would explain it
	wordTimedOut   // at our own deadline, or the kernel's
	wordDNS
	wordProxyDial  // the proxy is not reached
	wordProxySays  // 403 or 407 to CONNECT, or SOCKS's replies like them
	wordProxyFails // no tunnel, for another reason
	wordUnanswered // no answer to our SYN, or to our first datagrams
	wordRefused
	wordNoUDP       // refused over QUIC
	wordUnreachable // ICMP unreachable
	wordCertificate
	wordHandshake  // an alert that names what does not fit
	wordNotTLS     // the first bytes are not TLS
	wordTLSAlert   // another alert, or a malformed handshake
	wordHelloEnds  // the connection ends in the handshake
	wordEnds       // it ends in the exchange
	wordSilent     // acknowledged, and no (more) bytes
	wordTransfer   // in the middle of the body
	wordDead       // nothing of ours is acknowledged any more
	wordStatus     // the status is refused
	wordContent    // the module's rules refuse the content
	wordSlowDown   // ENHANCE_YOUR_CALM
	wordNoStream   // REFUSED_STREAM
	wordMalformed  // not HTTP, or a body that is not what its head says
	wordToken      // the token endpoint refuses our credentials
	wordConnection // about connecting or what comes after it, none of which came to an answer

	endOfWords // what follows is evidence beyond them

	hostDescriptors
	hostPorts
	hostLate
	hostRule

	egressDown
	egressUp
	egressElsewhere // other networks are reached
	egressNowhere   // none of several is
	egressImpaired

	nameAnswered // the resolver gave an answer
	nameElsewhere
	nameNotHere // the address in use is not among the other resolver's
	namesWork   // the other resolver's address works, A-B-A

	saidLimit
	saidMaintenance
	saidRetryLater
	saidGateway // a gateway's words: its upstream failed
	saidNoName
	saidProxy // the answer is the proxy's own
	saidDenied
	saidDirect      // the answer is not a proxy's
	saidInternal    // INTERNAL_ERROR
	status4xx       // the request is at fault by the status's definition
	status4xxAnswer // 401, 403, 404, …: refused
	status5xx
	status503
	statusOther // below 400
	shownChain  // the server showed a certificate
	alertSent
	alertBare // alert 80 before a certificate

	wireProgress
	wireFast      // the answer is small
	wireSmall     // what we sent is small, or smaller segments do not help
	wireHole      // received data wait behind a hole
	wireSYNACKs   // the server repeats its SYN-ACK: it does not take our last word of the handshake
	endsOnItsSide // the end is the server's own: FIN, a live socket's RST from its distance, or no network between
	endsNearer    // the RST came from nearer than the server
	endsHere
	endsUnseen // by whom is not known
	icmpRule
	icmpHostUDP // nothing listens at the UDP port
	icmpHost    // port unreachable from the server's own address
	icmpOther
	icmpRoute

	timesTwice    // at least two tries in a row failed
	timesSteady   // at least three, and nothing succeeded since
	timesSome     // some fail, some succeed
	timesOver     // rare, and over
	workedBefore  // a success is remembered
	neverWorked   // none is, of several probes
	endedFirst    // connections ended in this incident before new ones were refused
	busyNow       // the server said in this incident that it is busy
	slowerBefore  // answers took longer and longer
	usuallyFast   // the answer usually takes less than a quarter of the timeout
	usuallySlow   // more than half
	synRepeated   // SYNs were repeated in probes that succeeded
	innocent      // it fails steadily, and the request cannot be the reason
	plainAnyway   // nothing can be left out of the request, or leaving it out does not help
	keptMeanwhile // kept connections are served

	addressesTwice // the same address fails and others work, twice in a row
	addressesThrice
	addressesFamily // they are all those of one family

	provedAddress // A-B-A
	provedFamily
	provedSmall
	provedHTTP1
	provedPlain
	provedTime
	provedHello
	provedTwice // in two rounds
	triedSmall  // without success
	triedTime
	triedHello
	provedIntercepted
	experimentsMade
	closedPortAnswers   // refused at once, while ours is silent
	closedPortElsewhere // the refusal of a closed port comes from elsewhere than ours
	closedPortAlike     // or from the same sender
	traceEndsBefore     // the path trace ends before the server

	keptEnded   // while idle
	keptSimilar // at a similar age at least twice, at different times
	keptThrice
	keptAnnounced
	keptSilent
	keptNearer
	keptForgotten // by a sender who did not know the connection
	keptCrossed   // the end crossed our request
	keptUnseen

	numFacts
)

// known are the facts that hold, each with its sentence; an empty one does not hold.
type known [numFacts]string

func (k *known) has(f fact) bool { return k[f] != "" }

// all reports whether all of some facts hold.
func (k *known) all(facts []fact) bool {
	return !slices.ContainsFunc(facts, func(f fact) bool { return k[f] == "" })
}

// note notes a fact if it holds.
func (k *known) note(f fact, holds bool, sentence string, args ...any) {
	if !holds {
		return
	}
	if len(args) > 0 {
		sentence = fmt.Sprintf(sentence, args...)
	}
	k[f] = sentence
}

// scene is what facts are read from: the evidence, and the failure that is to be explained.
type scene struct {
	*Evidence
	at   int // of o in Recent
	o    *Observation
	f    *prober.Failure
	made []prober.Control // the experiments that count for it
	tries
}

// factsOf are the facts of an evidence; nil where nothing is to be explained.
func factsOf(e *Evidence) (*scene, *known) {
	k := new(known)
	s := &scene{Evidence: e, at: e.failing()}
	if s.at >= 0 {
		s.o = &e.Recent[s.at]
		s.f = s.o.failure()
		if s.f.Reason == prober.Abandoned {
			return nil, nil
		}
		s.made = e.experimentsFor(s.at)
		s.tries = s.count()
		k[fails] = s.f.Sentence()
		s.words(k)
		s.host(k)
		s.egress(k)
		s.names(k)
		s.answer(k)
		s.wire(k)
		s.ends(k)
		s.icmp(k)
		s.times(k)
		s.before(k)
		s.addresses(k)
		s.experiments(k)
	}
	if s.at < 0 || k.has(timesOver) {
		keptFacts(e.Kept, k)
	}
	if s.at < 0 && !keptFails(e.Kept) {
		return nil, nil
	}
	return s, k
}

func (s *scene) is(reasons ...prober.Reason) bool { return slices.Contains(reasons, s.f.Reason) }

func (s *scene) in(phases ...prober.Phase) bool { return slices.Contains(phases, s.f.Phase) }

// of reports whether the reason is of one of the families, such as "tls.cert".
func (s *scene) of(families ...string) bool {
	return slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(string(s.f.Reason), f+".") })
}

// words notes what the failure itself says.
func (s *scene) words(k *known) {
	text := k[fails]
	timedOut := strings.HasSuffix(string(s.f.Reason), "timed_out") || s.is(prober.TCPAborted)
	exchange := s.in(prober.Request, prober.Processing, prober.Transfer)
	proxyOwn := s.is(prober.ProxyDenied, prober.ProxyAuthRequired, prober.ProxyFailed)
	for _, w := range []struct {
		fact  fact
		holds bool
	}{
		{wordLocal, s.of("local") || s.is(prober.ProbeConfig)},
		{wordDescriptors, s.is(prober.LocalFDExhausted)},
		{wordPorts, s.is(prober.LocalPortExhausted)},
		{wordNoRoute, s.is(prober.LocalNoRoute)},
		{wordDenied, s.f.Origin == prober.Local && s.is(prober.LocalDenied, prober.TCPRefused, prober.TCPReset)},
		{wordOutOfReach, OutOfReach(s.f)},
		{wordTimedOut, timedOut},
		{wordDNS, s.of("dns")},
		{wordProxyDial, s.in(prober.Proxy) && !proxyOwn && s.of("tcp", "tls", "http")},
		{wordProxySays, s.is(prober.ProxyDenied, prober.ProxyAuthRequired)},
		{wordProxyFails, s.is(prober.ProxyFailed)},
		{wordUnanswered, s.in(prober.Connect) && s.is(prober.TCPTimedOut, prober.QUICTimedOut)},
		{wordRefused, s.in(prober.Connect) && s.is(prober.TCPRefused)},
		{wordNoUDP, s.in(prober.Connect) && s.is(prober.QUICRefused)},
		{wordUnreachable, s.in(prober.Connect) && s.is(prober.TCPAddressUnreachable, prober.QUICAddressUnreachable)},
		{wordCertificate, s.of("tls.cert")},
		{wordHandshake, s.is(prober.TLSVersionOrCipherMismatch, prober.TLSALPNMismatch, prober.TLSUnrecognizedName, prober.TLSBadClientAuthCert)},
		{wordNotTLS, s.is(prober.TLSNotTLS)},
		{wordTLSAlert, s.in(prober.TLS) && s.is(prober.TLSProtocolError, prober.TLSFailed)},
		{wordHelloEnds, s.in(prober.TLS) && (ends(s.f.Reason) || s.is(prober.TLSTimedOut, prober.TCPAborted))},
		{wordEnds, exchange && ends(s.f.Reason)},
		{wordSilent, !s.in(prober.Proxy) && s.is(prober.HTTPResponseTimedOut, prober.TLSTimedOut, prober.TCPStalled, prober.QUICStalled)},
		{wordTransfer, s.in(prober.Transfer)},
		{wordDead, s.is(prober.TCPAborted) && !s.in(prober.Proxy) || s.is(prober.QUICTimedOut) && exchange},
		{wordStatus, s.in(prober.Validate) && s.is(prober.HTTPError, prober.HTTPRateLimited)},
		{wordContent, s.in(prober.Validate) && !s.is(prober.HTTPError, prober.HTTPRateLimited, prober.ProxyAuthRequired)},
		{wordSlowDown, s.is(prober.H2Throttled)},
		{wordNoStream, s.is(prober.H2StreamRefused)},
		{wordMalformed, !s.in(prober.Proxy) && s.is(prober.HTTPProtocolError, prober.HTTPResponseInvalid, prober.HTTPHeadersTooLarge, prober.H2ProtocolError, prober.QUICProtocolError)},
		{wordToken, s.is(prober.AuthTokenDenied)},
		{wordConnection, !s.of("local", "probe") && (s.in(prober.Connect, prober.TLS) || exchange)},
	} {
		if w.holds {
			k[w.fact] = text
		}
	}
}

// ends reports whether a reason is an end that came from elsewhere.
func ends(r prober.Reason) bool {
	switch r {
	case prober.TCPReset, prober.TCPClosed, prober.H2GoAway, prober.H2StreamReset, prober.QUICReset, prober.QUICClosed, prober.QUICStreamReset:
		return true
	}
	return false
}

// OutOfReach reports whether our own outbound connectivity would explain a failure: the name is not resolved though the resolver did not say
// that it does not exist, or the connection, or the one to the proxy, does not come about, and it is not the peer that refuses. nil is no
// failure. The alert ErrnoEgressDown has the same rule (monitoring/recording.yml).
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

// shown is a duration as evidence shows it.
func shown(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return "less than 1ms"
}
