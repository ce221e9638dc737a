package cause

import (
	"strings"

	"errno_exporter/prober"
)

// The failure's own words: what its phase, reason and origin say.

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
