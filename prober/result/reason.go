package result

import (
	"fmt"
	"slices"
	"strings"
)

// Reason is why an attempt failed: a dotted type in the manner of W3C Network Error Logging.
type Reason string

// The reasons. Their meaning, phases and source stand in Reasons.
const (
	DNSNameNotResolved Reason = "dns.name_not_resolved"
	DNSNoData          Reason = "dns.no_data"
	DNSUnreachable     Reason = "dns.unreachable"
	DNSTimedOut        Reason = "dns.timed_out"
	DNSServfail        Reason = "dns.servfail"
	DNSRefused         Reason = "dns.refused"
	DNSProtocol        Reason = "dns.protocol"
	DNSFailed          Reason = "dns.failed"

	TCPRefused            Reason = "tcp.refused"
	TCPTimedOut           Reason = "tcp.timed_out"
	TCPReset              Reason = "tcp.reset"
	TCPClosed             Reason = "tcp.closed"
	TCPAborted            Reason = "tcp.aborted"
	TCPAddressUnreachable Reason = "tcp.address_unreachable"
	TCPAddressInvalid     Reason = "tcp.address_invalid"
	TCPFailed             Reason = "tcp.failed"
	TCPStalled            Reason = "tcp.stalled"

	TLSTimedOut                Reason = "tls.timed_out"
	TLSVersionOrCipherMismatch Reason = "tls.version_or_cipher_mismatch"
	TLSALPNMismatch            Reason = "tls.alpn_mismatch"
	TLSUnrecognizedName        Reason = "tls.unrecognized_name"
	TLSBadClientAuthCert       Reason = "tls.bad_client_auth_cert"
	TLSCertDateInvalid         Reason = "tls.cert.date_invalid"
	TLSCertNameInvalid         Reason = "tls.cert.name_invalid"
	TLSCertAuthorityInvalid    Reason = "tls.cert.authority_invalid"
	TLSCertInvalid             Reason = "tls.cert.invalid"
	TLSCertRevoked             Reason = "tls.cert.revoked"
	TLSCertStapledRevoked      Reason = "tls.cert.stapled_revoked"
	TLSCertPinned              Reason = "tls.cert.pinned_key_not_in_cert_chain"
	TLSNotTLS                  Reason = "tls.not_tls"
	TLSProtocolError           Reason = "tls.protocol.error"
	TLSFailed                  Reason = "tls.failed"

	ProxyAuthRequired Reason = "proxy.auth_required"
	ProxyDenied       Reason = "proxy.denied"
	ProxyFailed       Reason = "proxy.failed"

	HTTPResponseTimedOut Reason = "http.response.timed_out"
	HTTPProtocolError    Reason = "http.protocol.error"
	HTTPHeadersTooLarge  Reason = "http.headers_too_large"
	HTTPResponseInvalid  Reason = "http.response.invalid"
	HTTPRedirectLoop     Reason = "http.response.redirect_loop"
	HTTPRedirectInvalid  Reason = "http.response.redirect_invalid"
	HTTPError            Reason = "http.error"
	HTTPRateLimited      Reason = "http.rate_limited"
	HTTPContent          Reason = "http.content"
	HTTPFailed           Reason = "http.failed"

	H2GoAway        Reason = "h2.goaway"
	H2StreamRefused Reason = "h2.stream_refused"
	H2Throttled     Reason = "h2.throttled"
	H2StreamReset   Reason = "h2.stream_reset"
	H2PingFailed    Reason = "h2.ping_failed"
	H2ProtocolError Reason = "h2.protocol.error"

	QUICTimedOut           Reason = "quic.timed_out"
	QUICRefused            Reason = "quic.refused"
	QUICReset              Reason = "quic.reset"
	QUICClosed             Reason = "quic.closed"
	QUICVersion            Reason = "quic.version"
	QUICProtocolError      Reason = "quic.protocol.error"
	QUICStreamReset        Reason = "quic.stream_reset"
	QUICStalled            Reason = "quic.stalled"
	QUICAddressUnreachable Reason = "quic.address_unreachable"

	LocalFDExhausted   Reason = "local.fd_exhausted"
	LocalPortExhausted Reason = "local.port_exhausted"
	LocalNoResources   Reason = "local.no_resources"
	LocalNoRoute       Reason = "local.no_route"
	LocalDenied        Reason = "local.denied"
	LocalOverloaded    Reason = "local.overloaded"

	AuthTokenTimedOut Reason = "auth.token_timed_out"
	AuthTokenDenied   Reason = "auth.token_denied"
	AuthTokenFailed   Reason = "auth.token_failed"

	PeerFlood Reason = "peer.flood"

	ProbeConfig Reason = "probe.config"
	Abandoned   Reason = "abandoned"
	Unknown     Reason = "unknown"
)

// ReasonInfo is one row of the vocabulary.
type ReasonInfo struct {
	Reason   Reason
	Phases   []Phase // the phases it may be found in
	Short    string  // begins the operator's sentence; "while …" follows
	Sentence string  // what it means and where to look first
	Source   string  // N: W3C NEL; C: Chromium's NEL or net errors; X: ours, with its nearest relative
}

// Info returns the reason's row of the vocabulary.
func (r Reason) Info() ReasonInfo {
	i := slices.IndexFunc(Reasons, func(row ReasonInfo) bool { return row.Reason == r })
	if i < 0 {
		panic(fmt.Sprintf("prober: reason %q is not in the table", string(r)))
	}
	return Reasons[i]
}

// impliesPhase reports whether the reason's words say already what we were doing.
func (r Reason) impliesPhase(p Phase) bool {
	return p == Validate || p == Resolve && strings.HasPrefix(string(r), "dns.")
}

func (r Reason) short() string { return r.Info().Short }
