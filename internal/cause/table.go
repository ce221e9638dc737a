package cause

// The table of causes. A row is one way in which a cause shows:
//
//   - requires: the row applies if all of these facts hold;
//   - sure: how sure the cause is by them alone; low is a candidate, which is never named as the cause;
//   - supports: each that holds makes it surer;
//   - excludes: any that holds rules the row out, and its sentence is the reason.
//
// A fact in none of a cause's rows is silent about it. The surest row is named, or of those the first in Causes.
type row struct {
	cause    Cause
	party    Party // empty: the cause's own
	bySender bool  // the party is the server where it ended the connection itself, and not known where that is unseen
	requires []fact
	sure     Confidence
	supports []fact
	excludes []fact
}

var table = []row{
	// What this host is short of. Where none is left, how many are open can often not be read: the errno is enough.
	{cause: LocalDescriptors, requires: facts{wordDescriptors}, sure: Medium, supports: facts{hostDescriptors}},
	{cause: LocalPorts, requires: facts{wordPorts}, sure: Medium, supports: facts{hostPorts}},
	{cause: LocalStarved, requires: facts{hostLate}, sure: High},

	// Our egress: known by others that are reached or not, never by the one that fails.
	{cause: NoEgress, requires: facts{wordOutOfReach, egressDown}, sure: High},
	{cause: NoEgress, requires: facts{wordOutOfReach, egressNowhere}, sure: Medium},
	{cause: NoEgress, requires: facts{wordNoRoute}, sure: Medium, excludes: facts{egressUp}},
	{cause: NoEgress, requires: facts{wordUnanswered}, sure: Low,
		excludes: facts{egressUp, egressElsewhere, closedPortAnswers}},
	{cause: EgressImpaired, requires: facts{wordConnection, egressImpaired}, sure: Medium, supports: facts{timesSome}},
	// A full connection tracker drops some packets and lets others pass: ours, if it was full or none could be sent.
	{cause: EgressImpaired, requires: facts{kernelTracker, kernelUnsent}, sure: High},
	{cause: EgressImpaired, requires: facts{kernelTracker, hostTracker}, sure: Medium,
		excludes: facts{closedPortAnswers}},
	{cause: EgressImpaired, requires: facts{kernelTracker}, sure: Low},
	{cause: EgressImpaired, requires: facts{kernelFilter}, sure: Low},
	{cause: Intercepted, requires: facts{provedIntercepted}, sure: High},
	{cause: Intercepted, requires: facts{provedNear}, sure: Medium},
	{cause: Intercepted, requires: facts{saidBetween}, sure: Medium},

	// Names. Two views that differ may both be valid: only the other address's working shows that this one is outdated.
	{cause: DNSBroken, requires: facts{wordDNS, nameAnswered}, sure: High},
	{cause: DNSBroken, requires: facts{wordDNS, nameElsewhere}, sure: High},
	{cause: DNSBroken, party: UnknownParty, requires: facts{wordDNSPath}, sure: Medium,
		excludes: facts{egressDown, egressNowhere}},
	{cause: DNSBroken, requires: facts{wordDNS}, sure: Medium, excludes: facts{egressDown, egressNowhere}},
	// A blocking resolver answers with the address of whoever asks. Another new address is as likely a new server.
	{cause: DNSBroken, requires: facts{nameHome}, sure: High, excludes: facts{nameFile, timesOver}},
	{cause: DNSBroken, party: Us, requires: facts{nameFile}, sure: Medium, supports: facts{nameHome},
		excludes: facts{timesOver}},
	{cause: DNSStale, requires: facts{nameMoved}, sure: Low},
	{cause: DNSStale, requires: facts{namesWork}, sure: Medium, supports: facts{provedTwice}},
	{cause: DNSStale, requires: facts{nameNotHere}, sure: Low},

	// The proxy: down, refusing, or saying that its upstream failed.
	{cause: ProxyDown, requires: facts{wordProxyDial}, sure: Medium, supports: facts{timesSteady},
		excludes: facts{egressDown, hostRule, icmpProxyRule, icmpProxyRoute, timesOver}},
	{cause: ProxyDown, requires: facts{wordProxyWaits}, sure: Low},
	{cause: UpstreamFailed, party: UnknownParty, requires: facts{wordProxyWaits}, sure: Low},
	{cause: ProxyDown, requires: facts{saidProxy, saidItself}, sure: Medium, supports: facts{timesTwice}},
	{cause: ProxyPolicy, requires: facts{wordProxyFails, saidRefused}, sure: Medium, supports: facts{timesTwice}},
	{cause: ProxyPolicy, requires: facts{wordProxySays}, sure: Medium, supports: facts{timesTwice}},
	{cause: ProxyPolicy, requires: facts{saidDenied}, sure: High},
	{cause: UpstreamFailed, party: DNS, requires: facts{saidNoName}, sure: Medium, supports: facts{timesTwice}},
	{cause: UpstreamFailed, party: UnknownParty, requires: facts{wordProxyFails, saidGateway}, sure: Medium,
		supports: facts{timesTwice}},

	// What an answer states.
	{cause: RateLimited, requires: facts{saidLimit}, sure: Medium, supports: facts{saidDirect}},
	// To a client with one stream on a new connection neither code need be about its rate: HAProxy resets the stream
	// with ENHANCE_YOUR_CALM for each `reject`, and with REFUSED_STREAM where the backend gave no answer (src/mux_h2.c).
	// Others refuse what is too much, so that both stay open.
	{cause: RateLimited, requires: facts{wordSlowDown}, sure: Medium, supports: facts{timesTwice},
		excludes: facts{saidStreamOnly}},
	{cause: RateLimited, requires: facts{wordEnds, limitedNow}, sure: Medium, excludes: facts{endsNearer}},
	{cause: RateLimited, requires: facts{wordSlowDown}, sure: Low},
	{cause: RateLimited, requires: facts{wordNoStream}, sure: Low},
	{cause: ServerAborts, requires: facts{saidStreamOnly}, sure: Low},
	{cause: ServerAborts, requires: facts{wordNoStream}, sure: Low},
	{cause: Maintenance, requires: facts{saidMaintenance}, sure: Medium, supports: facts{saidRetryLater},
		excludes: facts{saidLimit}},
	{cause: Maintenance, requires: facts{saidRetryLater}, sure: Low, excludes: facts{saidLimit}},
	{cause: UpstreamFailed, requires: facts{saidGateway, saidDirect}, sure: High, excludes: facts{saidMaintenance}},
	{cause: UpstreamFailed, party: UnknownParty, requires: facts{wordStatus, saidGateway}, sure: Medium,
		excludes: facts{saidDirect}},
	{cause: ServerError, requires: facts{status5xx, saidDirect}, sure: High,
		excludes: facts{saidMaintenance, saidRefused, wireUntaken}},
	{cause: ServerError, requires: facts{status503, saidDirect}, sure: Medium, supports: facts{saidItself},
		excludes: facts{saidMaintenance, saidGateway, slowerBefore}},
	{cause: ServerError, requires: facts{status5xx}, sure: Low, excludes: facts{saidProxy, saidRefused}},
	{cause: ServerError, requires: facts{wordMalformed, timesTwice}, sure: Medium, excludes: facts{saidTLS, bodyShort}},
	{cause: ServerError, requires: facts{wordEnds, saidInternal}, sure: Medium, excludes: facts{timesOver, wordTransfer}},
	{cause: ServerError, requires: facts{wordRedirect, saidDirect}, sure: Medium},
	{cause: ServerError, requires: facts{wordRedirect}, sure: Low},
	{cause: RequestRejected, requires: facts{status4xx, saidDirect}, sure: High, excludes: facts{wireUntaken, timesSome}},
	{cause: RequestRejected, party: Server, requires: facts{status4xxAnswer, saidDirect}, sure: Medium,
		supports: facts{timesTwice, saidRefused}, excludes: facts{saidLimit, wireUntaken, timesSome}},
	// The same request is taken at other times: a limit that answers 403 (Apache's mod_evasive), or one of several hosts.
	{cause: RateLimited, requires: facts{status4xxAny, saidDirect, timesSome}, sure: Low},
	{cause: ServerError, requires: facts{status4xxAny, saidDirect, timesSome}, sure: Low},
	{cause: RequestRejected, party: Server, requires: facts{status5xx, saidDirect, saidRefused}, sure: High},
	{cause: RequestRejected, requires: facts{wordToken}, sure: Medium, supports: facts{timesTwice}},
	{cause: ResponseRejected, requires: facts{statusOther, saidDirect}, sure: High},
	{cause: ResponseRejected, requires: facts{wordContent}, sure: Medium, supports: facts{saidDirect}},

	// TLS.
	{cause: Certificate, requires: facts{shownChain}, sure: High,
		excludes: facts{nameMoved, namesWork, provedAddress, provedIntercepted}},
	{cause: Certificate, party: UnknownParty, requires: facts{shownChain, nameMoved}, sure: Medium},
	{cause: TLSMismatch, requires: facts{wordHandshake}, sure: Medium, supports: facts{alertSent},
		excludes: facts{provedHello, provedAddress, tlsSome, addressesTwice}},
	{cause: TLSMismatch, party: Server, requires: facts{tlsSome}, sure: Medium, excludes: facts{addressesTwice}},
	{cause: TLSMismatch, requires: facts{certAsked}, sure: Low},
	// The scheme and port of a redirect are the choice of whoever wrote it.
	{cause: TLSMismatch, party: Server, requires: facts{wordNotTLS, ledElsewhere}, sure: Medium,
		excludes: facts{provedAddress}},
	{cause: TLSMismatch, party: Server, requires: facts{saidTLS, ledElsewhere}, sure: Medium},
	{cause: TLSMismatch, requires: facts{wordNotTLS}, sure: Medium, supports: facts{timesTwice},
		excludes: facts{provedAddress, ledElsewhere, tlsSome}},
	{cause: TLSMismatch, requires: facts{saidTLS}, sure: Medium, supports: facts{timesTwice},
		excludes: facts{ledElsewhere}},
	{cause: TLSMismatch, requires: facts{saidRenegotiate}, sure: Medium},
	{cause: TLSMismatch, party: UnknownParty, requires: facts{alertBare}, sure: Medium, excludes: facts{provedHello}},
	// What sends an alert speaks TLS: the server, more often than not. So does what closes in order, or acknowledges and
	// then waits: rules on the path reset or drop, most of them.
	{cause: ClientHelloRejected, party: UnknownParty, requires: facts{provedHello, alertEnds}, sure: Medium,
		supports: facts{provedTwice}, excludes: facts{timesSome}},
	{cause: ClientHelloRejected, party: UnknownParty, requires: facts{provedHello, endsOnItsSide}, sure: Medium,
		supports: facts{provedTwice}, excludes: facts{timesSome}},
	{cause: ClientHelloRejected, party: UnknownParty, requires: facts{provedHello, helloTaken}, sure: Medium,
		supports: facts{provedTwice}, excludes: facts{timesSome}},
	{cause: ClientHelloRejected, requires: facts{provedHello}, sure: Medium, supports: facts{provedTwice},
		excludes: facts{timesSome}},
	{cause: ClientHelloRejected, requires: facts{wordHelloEnds}, sure: Low,
		excludes: facts{triedHello, provedSmall, endsHere}},

	// One thing changed, and it worked; the original failed again. Where failures are not steady that is luck.
	{cause: OneFamilyBroken, party: Us, requires: facts{icmpScope}, sure: Medium, supports: facts{icmpTwice},
		excludes: facts{timesOver}},
	{cause: OneFamilyBroken, bySender: true, requires: facts{addressesTwice, addressesFamily}, sure: Medium,
		supports: facts{addressesThrice}},
	{cause: OneFamilyBroken, bySender: true, requires: facts{wordConnection, provedFamily}, sure: Medium,
		supports: facts{provedTwice}, excludes: facts{timesSome}},
	{cause: OneBadAddress, requires: facts{addressesTwice}, sure: Medium, supports: facts{addressesThrice},
		excludes: facts{addressesFamily}},
	{cause: OneBadAddress, requires: facts{provedAddress}, sure: Medium, supports: facts{provedTwice},
		excludes: facts{timesSome}},
	{cause: PMTUBlackHole, requires: facts{provedSmall}, sure: Medium, supports: facts{provedTwice},
		excludes: facts{timesSome}},
	{cause: PMTUBlackHole, requires: facts{wordTimedOut, wireHole}, sure: Medium,
		excludes: facts{triedSmall, timesOver}},
	// What it answers arrives here, and our large segments do not arrive there.
	{cause: PMTUBlackHole, requires: facts{wireUntaken, timesTwice}, sure: Medium, excludes: facts{triedSmall}},
	{cause: PMTUBlackHole, requires: facts{wireUntaken}, sure: Low},
	{cause: PMTUBlackHole, requires: facts{wordSilent}, sure: Low, excludes: facts{triedSmall, wireProgress}},
	{cause: PMTUBlackHole, requires: facts{wordDead}, sure: Low, excludes: facts{wireSmall}},
	{cause: H2Only, requires: facts{saidHTTP1}, sure: Medium, supports: facts{timesTwice},
		excludes: facts{timesOver}},
	{cause: H2Only, requires: facts{provedHTTP1}, sure: Medium, supports: facts{provedTwice},
		excludes: facts{timesSome}},
	{cause: RequestRejected, requires: facts{provedPlain}, sure: Medium, supports: facts{provedTwice},
		excludes: facts{timesSome, status5xx, status503}},
	{cause: RequestRejected, requires: facts{wordEnds}, sure: Low, excludes: facts{wordBare, plainAnyway, endsHere}},
	{cause: TimeoutTooShort, requires: facts{provedTime}, sure: Medium, supports: facts{usuallySlow},
		excludes: facts{usuallyFast, timesSome}},
	{cause: TimeoutTooShort, requires: facts{wireProgress}, sure: Medium, supports: facts{timesTwice}},
	{cause: TimeoutTooShort, requires: facts{wordTransfer, wordSilent}, sure: Low, excludes: facts{triedTime}},
	{cause: TimeoutTooShort, requires: facts{wordSilent, usuallySlow}, sure: Medium, excludes: facts{triedTime}},

	// Connections that idle.
	{cause: ServerIdleTimeout, requires: facts{idleEnded, idleSimilar}, sure: Medium,
		supports: facts{idleThrice, idleAnnounced, lifetimeServer}},
	{cause: ServerIdleTimeout, requires: facts{idleEnded, lifetimeServer}, sure: Medium},
	{cause: PathIdleTimeout, requires: facts{idleSilent}, sure: Medium, supports: facts{idleSimilar, lifetimePath}},
	{cause: PathIdleTimeout, requires: facts{idleNearer}, sure: Medium, supports: facts{idleSimilar}},
	{cause: PathIdleTimeout, requires: facts{idleForgotten, idleSimilar}, sure: Medium},
	{cause: PathIdleTimeout, requires: facts{idleForgotten, lifetimePath}, sure: Medium, supports: facts{idleSimilar}},
	{cause: PathIdleTimeout, requires: facts{idleUnseen, lifetimePath}, sure: Medium},
	{cause: PathIdleTimeout, requires: facts{idleForgotten}, sure: Low},
	{cause: ServerRestarted, requires: facts{idleForgotten}, sure: Low, excludes: facts{idleSimilar, lifetimePath}},
	{cause: KeepaliveRace, requires: facts{idleCrossed}, sure: Medium},
	{cause: KeepaliveRace, requires: facts{idleUnseen}, sure: Low},
	{cause: PathIdleTimeout, requires: facts{idleUnseen}, sure: Low},
	{cause: ServerIdleTimeout, requires: facts{idleUnseen}, sure: Low},

	// The application's own connections. Only what is lost or grows is a failure: servers close idle connections.
	{cause: StalePool, requires: facts{appSteady}, sure: Medium, supports: facts{appSteadyMany, appLost, appPath}},
	{cause: ConnectionLeak, requires: facts{appCloseWait}, sure: Medium, supports: facts{appCloseWaitOld}},
	{cause: ConnectionLeak, requires: facts{appEstablished}, sure: Medium},
	{cause: PortChurn, requires: facts{appChurn}, sure: Medium, supports: facts{appChurnMost}},

	// Who refused or reset. A refusal from nearer than the server may be a NAT host's, for a server that is gone: a
	// closed port decides.
	{cause: FirewallReject, party: Us, requires: facts{hostRule}, sure: High, excludes: facts{kernelTracker}},
	{cause: FirewallReject, party: Us, requires: facts{measuredHere}, sure: Medium},
	{cause: FirewallReject, requires: facts{endsNearer}, sure: Medium, supports: facts{timesTwice},
		excludes: facts{wordRefused}},
	{cause: FirewallReject, requires: facts{endsNearer, closedPortElsewhere}, sure: High},
	{cause: FirewallReject, requires: facts{closedPortFarther}, sure: Medium},
	{cause: FirewallReject, requires: facts{wordRefused}, sure: Low, excludes: facts{closedPortAlike}},
	{cause: FirewallReject, requires: facts{wordEnds}, sure: Low, excludes: facts{endsOnItsSide}},
	{cause: FirewallReject, requires: facts{icmpRule}, sure: Medium, supports: facts{icmpSure}},
	{cause: FirewallReject, requires: facts{icmpProxyRule}, sure: Medium, supports: facts{timesTwice}},
	{cause: FirewallReject, party: Server, requires: facts{icmpHostRule}, sure: Medium, supports: facts{icmpSure}},
	{cause: FirewallReject, party: UnknownParty, requires: facts{icmpOther}, sure: Medium, supports: facts{icmpTwice}},
	{cause: FirewallReject, party: Server, requires: facts{icmpHost}, sure: Medium, supports: facts{icmpTwice}},
	{cause: FirewallReject, party: Server, requires: facts{icmpNoHost}, sure: Medium, supports: facts{icmpTwice},
		excludes: facts{timesOver}},
	{cause: ServerRestarted, requires: facts{wordRefused, workedBefore}, sure: Medium,
		supports: facts{endedFirst, refusedThere},
		excludes: facts{nameMoved, endsNearer, endsHere, closedPortFarther, icmpOther, icmpHost, timesOver}},
	{cause: ConnectionLimit, requires: facts{wordRefused, timesSome, endsOnItsSide}, sure: Low},
	{cause: ServerRestarted, requires: facts{wordRefused, endedFirst}, sure: Medium,
		excludes: facts{endsNearer, endsHere, closedPortFarther, icmpOther, icmpHost}},
	{cause: ServerRestarted, requires: facts{workedBefore, closedPortAlike}, sure: Medium,
		excludes: facts{nameMoved, timesSome}},
	{cause: ServerRestarted, requires: facts{wordNoUDP, workedBefore}, sure: Medium,
		excludes: facts{nameMoved, timesOver}},
	{cause: NotListening, requires: facts{wordRefused, neverWorked, endsOnItsSide}, sure: Medium,
		excludes: facts{endedFirst}},
	{cause: NotListening, requires: facts{wordRefused}, sure: Low, excludes: facts{workedBefore, endsHere}},
	{cause: NotListening, requires: facts{icmpHostUDP}, sure: Medium, supports: facts{neverWorked},
		excludes: facts{workedBefore}},
	{cause: NotListening, requires: facts{wordNoUDP}, sure: Low, excludes: facts{workedBefore}},

	// Silence.
	// An outgoing packet that this host drops never comes to a queue or a firewall elsewhere.
	{cause: FirewallDrop, party: Us, requires: facts{kernelUnsent}, sure: Medium, supports: facts{timesTwice},
		excludes: facts{timesOver}},
	{cause: AcceptQueueFull, requires: facts{kernelQueue}, sure: Medium, supports: facts{timesTwice},
		excludes: facts{kernelUnsent, timesOver}},
	{cause: AcceptQueueFull, requires: facts{wordUnanswered, synRepeated}, sure: Medium,
		supports: facts{closedPortAnswers}, excludes: facts{egressImpaired, kernelUnsent, dataRepeated}},
	{cause: AcceptQueueFull, requires: facts{wordUnanswered, hungFirst}, sure: Medium,
		supports: facts{closedPortAnswers}, excludes: facts{egressDown, kernelUnsent, closedPortSilent}},
	{cause: AcceptQueueFull, requires: facts{wireSYNACKs}, sure: Medium, supports: facts{synRepeated},
		excludes: facts{egressImpaired}},
	{cause: AcceptQueueFull, requires: facts{wordUnanswered}, sure: Low, excludes: facts{egressDown, kernelUnsent}},
	// The silence of one port is a rule's or a full queue's: that of the whole host is no queue's.
	{cause: FirewallDrop, requires: facts{wordUnanswered, timesTwice, egressUp, closedPortSilent}, sure: Medium,
		excludes: facts{icmpEarlier}},
	{cause: FirewallDrop, requires: facts{wordUnanswered, timesTwice, egressElsewhere, closedPortSilent}, sure: Medium,
		excludes: facts{icmpEarlier}},
	{cause: FirewallDrop, requires: facts{wordUnanswered}, sure: Low, excludes: facts{egressDown}},
	{cause: PathOutage, requires: facts{icmpRoute}, sure: Medium, supports: facts{icmpTwice},
		excludes: facts{timesOver, closedPortAnswers}},
	{cause: PathOutage, requires: facts{icmpProxyRoute}, sure: Medium, supports: facts{timesTwice},
		excludes: facts{timesOver}},
	{cause: PathOutage, party: UnknownParty, requires: facts{icmpLastHop}, sure: Medium,
		excludes: facts{timesOver, closedPortAnswers}},
	{cause: FirewallDrop, requires: facts{wordNeighbour}, sure: Low},
	{cause: NoEgress, requires: facts{wordNeighbour}, sure: Low, excludes: facts{egressUp, egressElsewhere}},
	// Each time a connection came about, and then nothing more: a server that drops connections without a word behind a
	// firewall (haproxy's silent-drop) looks like a path that does. So the party is not known.
	{cause: PathOutage, party: UnknownParty, requires: facts{timesDead, wireSmall}, sure: Medium,
		excludes: facts{wireSYNACKs, kernelUnsent}},
	{cause: PathOutage, requires: facts{wordDead}, sure: Low, excludes: facts{wireSYNACKs, kernelUnsent}},
	{cause: PathOutage, requires: facts{wordUnanswered}, sure: Low, excludes: facts{closedPortAnswers, kernelUnsent}},
	{cause: PathOutage, requires: facts{kernelDamaged}, sure: Low},
	{cause: ServerUnresponsive, requires: facts{timesSilent}, sure: Medium,
		excludes: facts{wordHelloEnds, wordTransfer, wordProxyWaits, hostLate, provedTime, provedSmall, usuallySlow,
			busyNow}},
	{cause: ServerUnresponsive, requires: facts{wordTransfer, timesSilent, triedTime}, sure: Medium,
		excludes: facts{wordProxyWaits}},
	{cause: ServerUnresponsive, requires: facts{wordSilent, timesSteady, wireFast, triedTime}, sure: High,
		excludes: facts{wordProxyWaits}},
	{cause: ServerUnresponsive, requires: facts{wordHelloEnds, wordSilent, timesTwice, workedBefore}, sure: Medium,
		excludes: facts{wordProxyWaits, provedSmall, provedHello, hostLate, wireLossy}},
	{cause: ServerUnresponsive, requires: facts{wordSilent}, sure: Low, excludes: facts{provedSmall, hostLate}},
	{cause: ServerUnresponsive, requires: facts{wireTaken}, sure: Low},

	// Connections that end. Ending them is no sign of load; being busy or ever slower in the same incident is one.
	{cause: ServerOverloaded, requires: facts{wordEnds, slowerBefore}, sure: Medium,
		excludes: facts{endsNearer, timesOver}},
	{cause: ServerOverloaded, requires: facts{wordConnection, busyNow}, sure: Medium, excludes: facts{endsNearer}},
	{cause: ServerOverloaded, requires: facts{status503, slowerBefore}, sure: Medium, excludes: facts{saidGateway}},
	{cause: ServerOverloaded, requires: facts{provedTime, usuallyFast}, sure: Medium},
	{cause: ConnectionLimit, requires: facts{wordEnds, endsOnItsSide, timesTwice, idleServed}, sure: Medium},
	{cause: ServerAborts, requires: facts{wordEnds, endsOnItsSide, timesTwice}, sure: Medium, supports: facts{innocent},
		excludes: facts{provedPlain, provedHTTP1, provedAddress, slowerBefore, busyNow, limitedNow, idleServed,
			certAsked, wireUntaken}},
	// In the middle of the body that is the word of what cannot send more of it, a gateway's as well.
	{cause: ServerAborts, requires: facts{wordTransfer, saidInternal}, sure: Medium, excludes: facts{timesOver}},
	{cause: ServerAborts, requires: facts{bodyShort, timesTwice}, sure: Medium},
	{cause: ServerAborts, requires: facts{wordEnds, endsOnItsSide, timesSome}, sure: Medium,
		excludes: facts{timesOver, wireUntaken}},
	{cause: ServerAborts, requires: facts{wordHelloEnds, endsOnItsSide, timesTwice, workedBefore}, sure: Medium,
		excludes: facts{provedHello, provedAddress}},
	{cause: ServerAborts, requires: facts{wordHelloEnds, endsOnItsSide, timesTwice, triedHello}, sure: Medium,
		excludes: facts{certAsked}},
	{cause: ServerAborts, requires: facts{wordEnds}, sure: Low,
		excludes: facts{endsNearer, endsHere, provedPlain, provedHTTP1, provedAddress}},

	// What happens once.
	{cause: Transient, requires: facts{timesOver}, sure: Medium},
	{cause: Transient, requires: facts{wordConnection}, sure: Low, excludes: facts{timesTwice}},
}
