package cause

import (
	"slices"
	"strings"
	"syscall"

	"errno_exporter/internal/egress"
	"errno_exporter/prober/result"
)

// The failure's own words: what its phase, reason and origin say.

// words notes what the failure itself states.
func (s *scene) words(k *known) {
	text := k[fails]
	timedOut := strings.HasSuffix(string(s.f.Reason), "timed_out") ||
		s.is(result.TCPAborted, result.TCPStalled, result.QUICStalled)
	exchange := s.in(exchanging...)
	for _, w := range []struct {
		fact  fact
		holds bool
	}{
		{wordLocal, s.of("local") || s.is(result.ProbeConfig, result.TCPAddressInvalid)},
		{wordDescriptors, s.is(result.LocalFDExhausted)},
		{wordPorts, s.is(result.LocalPortExhausted)},
		{wordNoRoute, s.is(result.LocalNoRoute)},
		{wordDenied, s.f.Origin == result.Local && s.is(result.LocalDenied, result.TCPRefused, result.TCPReset)},
		{wordOutOfReach, egress.OutOfReach(s.f)},
		{wordTimedOut, timedOut},
		{wordDNS, s.of("dns")},
		{wordProxyDial, s.in(result.Proxy) && s.of("tcp", "tls", "http") && !s.is(result.HTTPResponseTimedOut)},
		{wordProxyWaits, s.in(result.Proxy) && s.is(result.HTTPResponseTimedOut) || s.atProxy()},
		{wordProxySays, s.is(result.ProxyDenied, result.ProxyAuthRequired)},
		{wordProxyFails, s.is(result.ProxyFailed)},
		{wordUnanswered, s.in(result.Connect) && s.is(result.TCPTimedOut, result.QUICTimedOut)},
		{wordRefused, s.in(result.Connect) && s.is(result.TCPRefused)},
		{wordNoUDP, s.in(result.Connect) && s.is(result.QUICRefused)},
		{wordUnreachable, s.in(result.Connect) && s.is(result.TCPAddressUnreachable, result.QUICAddressUnreachable)},
		{wordNeighbour, s.in(result.Connect) && s.f.Origin == result.Local &&
			s.is(result.TCPAddressUnreachable, result.QUICAddressUnreachable)},
		{wordCertificate, s.of("tls.cert")},
		{wordHandshake, s.is(result.TLSVersionOrCipherMismatch, result.TLSALPNMismatch, result.TLSUnrecognizedName,
			result.TLSBadClientAuthCert)},
		{wordNotTLS, s.is(result.TLSNotTLS)},
		{wordTLSAlert, s.in(result.TLS) && s.is(result.TLSProtocolError, result.TLSFailed)},
		{wordHelloEnds, s.in(result.TLS) && (ends(s.f.Reason) || s.is(result.TLSTimedOut, result.TCPAborted))},
		{wordEnds, exchange && ends(s.f.Reason) || s.in(result.Connect) && s.is(result.TCPReset)},
		{wordBare, s.in(result.Connect)},
		{wordSilent, noAnswer(s.f)},
		{wordTransfer, s.in(result.Transfer)},
		{wordDead, goneDead(s.f)},
		{wordStatus, s.in(result.Validate) && s.is(result.HTTPError, result.HTTPRateLimited)},
		{wordContent, s.in(result.Validate) && !s.is(result.HTTPError, result.HTTPRateLimited,
			result.ProxyAuthRequired, result.HTTPRedirectLoop)},
		{wordRedirect, s.is(result.HTTPRedirectLoop)},
		{wordSlowDown, s.is(result.H2Throttled)},
		{wordNoStream, s.is(result.H2StreamRefused)},
		{wordMalformed, !s.in(result.Proxy) && s.is(result.HTTPProtocolError, result.HTTPResponseInvalid,
			result.HTTPHeadersTooLarge, result.H2ProtocolError, result.QUICProtocolError)},
		{wordToken, s.is(result.AuthTokenDenied)},
		{wordConnection, !s.of("local", "probe") && (s.in(result.Connect, result.TLS) || exchange)},
	} {
		if w.holds {
			k[w.fact] = text
		}
	}
	if f := s.resolverUnreached(); f != nil {
		k[wordDNSPath] = f.Sentence()
	}
}

// resolverUnreached is the failure by which a router says that the resolver is not reached: the one to explain or, if
// that is silence, an earlier one of this run. Routers limit how many ICMP messages they send.
func (s *scene) resolverUnreached() *result.Failure {
	for i := s.at; i > s.at-max(1, s.run); i-- {
		switch f := s.Recent[i].failure(); {
		case f.Reason == result.DNSUnreachable && f.Origin == result.Path && f.Errno != syscall.ECONNREFUSED:
			return f
		case f.Reason != result.DNSTimedOut:
			return nil
		}
	}
	return nil
}

// atProxy reports whether what was acknowledged may have come to the proxy only: a request that it relays, or the first
// message through its tunnel. What answered before it is the proxy.
func (s *scene) atProxy() bool {
	return noAnswer(s.f) && (s.o.Relayed || s.o.Proxied && s.in(result.TLS))
}

// noAnswer reports whether what was sent is acknowledged, and nothing comes.
func noAnswer(f *result.Failure) bool {
	return f.Phase != result.Proxy && slices.Contains([]result.Reason{result.HTTPResponseTimedOut, result.TLSTimedOut,
		result.TCPStalled, result.QUICStalled}, f.Reason)
}

// goneDead reports whether nothing of ours is acknowledged any more.
func goneDead(f *result.Failure) bool {
	return f.Reason == result.TCPAborted && f.Phase != result.Proxy ||
		f.Reason == result.QUICTimedOut && slices.Contains(exchanging, f.Phase)
}

// exchanging are the phases from the request to the answer's end.
var exchanging = []result.Phase{result.Request, result.Processing, result.Transfer}

// ends reports whether a reason is an end that came from elsewhere.
func ends(r result.Reason) bool {
	switch r {
	case result.TCPReset, result.TCPClosed, result.H2GoAway, result.H2StreamReset, result.QUICReset, result.QUICClosed,
		result.QUICStreamReset:
		return true
	}
	return false
}
