package cause

import (
	"fmt"
	"slices"
	"strings"

	"errno_exporter/prober/result"
)

// fact is something that the evidence shows. Facts are computed once for a verdict; the table is written in them.
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
	wordDNSPath    // a router says that the resolver is not reached
	wordProxyDial  // the proxy is not reached
	wordProxyWaits // it has the request, and does not answer in time
	wordProxySays  // 403 or 407 to CONNECT, or SOCKS's replies like them
	wordProxyFails // no tunnel, for another reason
	wordUnanswered // no answer to our SYN, or to our first datagrams
	wordRefused
	wordNoUDP       // refused over QUIC
	wordUnreachable // ICMP unreachable
	wordNeighbour   // no neighbour on our own link answers for the address or its gateway
	wordCertificate
	wordHandshake  // an alert that names what does not fit
	wordNotTLS     // the first bytes are not TLS
	wordTLSAlert   // another alert, or a malformed handshake
	wordHelloEnds  // the connection ends in the handshake
	wordEnds       // it ends in the exchange
	wordSilent     // acknowledged, and no (more) bytes
	wordTransfer   // in the middle of the body
	wordBare       // before a request could be sent
	wordDead       // nothing of ours is acknowledged any more
	wordStatus     // the status is refused
	wordContent    // the module's rules refuse the content
	wordRedirect   // redirects never end
	wordSlowDown   // ENHANCE_YOUR_CALM
	wordNoStream   // REFUSED_STREAM
	wordMalformed  // not HTTP, or a body that does not match its head
	wordToken      // the token endpoint refuses our credentials
	wordConnection // about connecting or what comes after it, none of which came to an answer

	endOfWords // what follows is evidence beyond them

	hostDescriptors
	hostPorts
	hostLate
	hostRule
	hostTracker // the connection tracker of this host is full

	kernelUnsent  // no retransmission of this host could be sent
	kernelTracker // the connection tracker of this host dropped as many packets as we sent
	kernelQueue   // a listener of this host dropped as many connections as we tried, and the target is on this host
	kernelFilter  // rp_filter dropped packets that arrived
	kernelDamaged // segments arrived with a wrong checksum
	egressDown
	egressUp
	egressElsewhere // other networks are reached
	egressNowhere   // our egress is down by the rule of internal/egress
	egressImpaired

	nameAnswered // the resolver gave an answer
	nameElsewhere
	nameNotHere // the address in use is not among the other resolver's
	nameMoved   // while it worked the name had another address, and not this one
	nameHome    // the new address is one of this host itself
	nameFile    // the new address is from the hosts file
	namesWork   // the other resolver's address works, A-B-A

	saidLimit
	saidMaintenance
	saidRetryLater
	saidGateway // a gateway's words: its upstream failed
	saidItself  // the gateway itself failed
	saidRefused // a rule of the gateway refuses
	saidNoName
	saidProxy // the answer is the proxy's own
	saidDenied
	saidDirect      // the answer is not a proxy's
	saidBetween     // the status is one that only a proxy sends, and none is configured
	saidInternal    // INTERNAL_ERROR
	saidStreamOnly  // ENHANCE_YOUR_CALM resets our only stream
	bodyShort       // the body ends in order, and has not the announced length
	saidHTTP1       // HTTP_1_1_REQUIRED
	saidTLS         // an alert in answer to plain HTTP
	saidRenegotiate // it negotiates TLS again, which this client does not
	status4xx       // the request is at fault by the status's definition
	status4xxAny    // refused by whatever status
	status4xxAnswer // 401, 403, 404, …: refused
	status5xx
	status503
	statusOther // below 400
	shownChain  // the server showed a certificate
	alertSent
	tlsSome   // a handshake that the other side does not take now and takes at other times
	alertBare // alert 80 before a certificate
	alertEnds // the handshake is ended by an alert of the peer's

	wireProgress
	wireFast      // the answer is small
	wireSmall     // what we sent is small, or smaller segments do not help
	wireHole      // received data wait behind a hole
	wireLossy     // segments were lost
	wireUntaken   // the server ended the exchange, or answered so, without having got our request
	wireTaken     // the request was acknowledged before nothing was any more
	helloTaken    // the ClientHello was acknowledged, and not answered
	wireSYNACKs   // the server repeats its SYN-ACK: it does not take our last word of the handshake
	endsOnItsSide // the end is the server's own: FIN, a live socket's RST from its distance, or no network between
	endsNearer    // the RST came from nearer than the server
	endsHere
	measuredHere   // the same, by the counter of the loopback interface
	endsUnseen     // by whom is not known
	endsUncaptured // since nothing captured the reset
	endsProxied    // since the connection leads to a proxy
	icmpRule
	icmpProxyRule  // the same, on the way to the proxy
	icmpProxyRoute // no route, on the way to the proxy
	icmpHostRule   // the same, from the server's own address
	icmpHostUDP    // nothing listens at the UDP port
	icmpHost       // port unreachable from the server's own address
	icmpOther
	icmpRoute
	icmpLastHop // a router does not find the host
	icmpScope   // our source address is not valid beyond our link
	icmpNoHost  // no route, from the server's own address
	icmpSure    // the failed attempt itself was told so, or two before it
	icmpTwice   // and at least two attempts in a row failed
	icmpEarlier // an earlier attempt was, and since then nothing is answered

	timesTwice   // at least two attempts in a row failed
	timesSteady  // at least three, and nothing succeeded since
	timesSilent  // the newest tries, two at least, were acknowledged and not answered
	timesDead    // the newest tries had nothing acknowledged after the handshake, so many that it is no lost packet
	timesSome    // some fail, some succeed
	timesOver    // rare, and over
	refusedThere // refused on the server's side, and no success between the refusals
	workedBefore // a success is remembered
	neverWorked  // none is, of several probes
	ledElsewhere // redirects led to another host or port, and that is what fails
	endedFirst   // connections ended in this incident before new ones were refused
	hungFirst    // requests were taken and not answered in this incident before new connections were not answered
	busyNow      // the server said in this incident that it is busy
	limitedNow   // or that we send too much
	slowerBefore // answers took longer and longer
	usuallyFast  // the answer usually takes less than a quarter of the timeout
	usuallySlow  // more than half
	synRepeated  // SYNs were repeated in probes that succeeded
	dataRepeated // and so were other segments
	innocent     // it fails steadily, and neither the request nor a device with the server's TTL can be the reason
	plainAnyway  // nothing can be left out of the request, or leaving it out does not help
	idleServed   // idle connections are served

	certAsked // the server asks for a client certificate, and has ended each connection before any answer

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
	provedNear // the target's public address is answered from our own link
	experimentsMade
	closedPortAnswers   // refused at once, while ours is silent
	closedPortSilent    // as ours is
	closedPortElsewhere // the refusal of a closed port comes from elsewhere than ours
	closedPortAlike     // or from the same sender
	closedPortFarther   // or from farther away: what refuses ours is nearer than what stands for the host
	traceEndsBefore     // the path trace ends before the server

	idleEnded   // while idle
	idleSimilar // at a similar age at least twice, at different times
	idleThrice
	idleAnnounced
	idleSilent
	idleNearer
	idleForgotten // by a sender who did not know the connection
	idleCrossed   // the end crossed our request
	idleUnseen
	lifetimeServer // the measured lifetime is a server's idle timeout, and this end fits it
	lifetimePath   // or it is one of the path

	appEnds       // connections of the application failed at several times
	appLost       // with a request in progress
	appPath       // by resets of a middlebox
	appSteady     // at a similar idle age, at different times
	appSteadyMany // many times
	appCloseWait  // CLOSE_WAIT only grows
	appCloseWaitOld
	appEstablished // established connections only grow
	appChurn       // TIME_WAIT holds many of the local ports
	appChurnMost

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
	o    *Digest
	f    *result.Failure
	made []result.Experiment // the experiments that count for it
	tries
}

// factsOf are the facts of an evidence; nil where nothing is to be explained.
func factsOf(e *Evidence) (*scene, *known) {
	k := new(known)
	s := &scene{Evidence: e, at: e.failing()}
	if s.at >= 0 {
		s.o = &e.Recent[s.at]
		s.f = s.o.failure()
		if s.f.Reason == result.Abandoned {
			return nil, nil
		}
		s.made = e.experimentsFor(s.at)
		s.tries = s.count()
		k[fails] = s.f.Sentence()
		s.words(k)
		s.host(k)
		s.kernel(k)
		s.egress(k)
		s.names(k)
		s.answer(k)
		s.wire(k)
		s.ends(k)
		s.times(k)
		s.icmp(k)
		s.before(k)
		s.addresses(k)
		s.experiments(k)
	}
	if s.at < 0 || k.has(timesOver) {
		idleFacts(e, k)
		applicationFacts(e, k)
	}
	if s.at < 0 && !idleFails(e.Idle) && !slices.ContainsFunc(applicationFails, k.has) {
		return nil, nil
	}
	return s, k
}

// applicationFails are facts each of which is to be explained, though fresh connections work.
var applicationFails = []fact{appEnds, appCloseWait, appEstablished, appChurn}

func (s *scene) is(reasons ...result.Reason) bool { return slices.Contains(reasons, s.f.Reason) }

func (s *scene) in(phases ...result.Phase) bool { return slices.Contains(phases, s.f.Phase) }

// of reports whether the reason is of one of the families, such as "tls.cert".
func (s *scene) of(families ...string) bool {
	return slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(string(s.f.Reason), f+".") })
}
