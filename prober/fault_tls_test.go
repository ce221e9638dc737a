package prober_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"

	"golang.org/x/net/http2"
)

func TestTLSFaults(t *testing.T) { probeFaults(t, tlsFaults()) }

func tlsFaults() []fault {
	refused := func(reason prober.Reason) []outcome { return []outcome{{prober.TLS, reason, 0, prober.Self, ""}} }
	told := func(reason prober.Reason) []outcome { return []outcome{{prober.TLS, reason, 0, prober.Peer, ""}} }
	alert := func(code uint8) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.TLSAlert(h, code) }
	}
	reset, closed := at(prober.TLS, peerReset), at(prober.TLS, peerClosed)
	badCert := func(phase prober.Phase) outcome {
		return outcome{phase, prober.TLSBadClientAuthCert, 0, prober.Peer, ""}
	}
	only12 := func(m *config.Module) { m.TLS.MaxVersion = tls.VersionTLS12 }
	withCert := func(m *config.Module) { m.TLS.Certificates = []tls.Certificate{faultlab.ClientCertificate()} }
	insecure := func(m *config.Module) { m.TLS.InsecureSkipVerify = true }
	return []fault{
		{"RST after ClientHello", faultlab.TLSResetAfterHello, asIs, raced, []outcome{reset}},
		{"FIN after ClientHello", faultlab.TLSFinAfterHello, asIs, raced, []outcome{closed}},
		{"FIN in a record", faultlab.TLSFinMidRecord, asIs, raced, []outcome{closed}},
		{"close_notify in the handshake", faultlab.TLSCloseNotifyInHandshake, asIs, raced, []outcome{closed}},
		{"silence", faultlab.TLSSilent, briefly, once, refused(prober.TLSTimedOut)},
		{"expired", faultlab.ExpiredCertificate, asIs, 5, refused(prober.TLSCertDateInvalid)},
		{"not yet valid", faultlab.CertificateNotYetValid, asIs, 5, refused(prober.TLSCertDateInvalid)},
		{"wrong host", faultlab.CertificateWrongHost, asIs, 5, refused(prober.TLSCertNameInvalid)},
		{"common name only", faultlab.CertificateCommonNameOnly, asIs, 5, refused(prober.TLSCertNameInvalid)},
		{"unknown CA", faultlab.CertificateUnknownCA, asIs, 5, refused(prober.TLSCertAuthorityInvalid)},
		{"CA's name with another key", faultlab.CertificateSameNameOtherKey, asIs, 5, refused(prober.TLSCertAuthorityInvalid)},
		{"for clients only", faultlab.CertificateWrongUsage, asIs, 5, refused(prober.TLSCertInvalid)},
		{"expired, not verified", faultlab.ExpiredCertificate, insecure, once, []outcome{success}},
		{"version too new for us", faultlab.TLSVersionTooNew, only12, 5, told(prober.TLSVersionOrCipherMismatch)},
		{"version too old for us", faultlab.TLSVersionTooOld, asIs, 5, told(prober.TLSVersionOrCipherMismatch)},
		{"version refused by us", faultlab.TLSServerHelloOfTLS11, asIs, 5, refused(prober.TLSVersionOrCipherMismatch)},
		{"no common cipher", faultlab.TLSNoCommonCipher, asIs, 5, told(prober.TLSVersionOrCipherMismatch)},
		{"no common ALPN", faultlab.TLSNoCommonALPN, asIs, 5, told(prober.TLSALPNMismatch)},
		{"client certificate wanted, TLS 1.2", faultlab.ClientCertificateRequired12, asIs, raced, []outcome{badCert(prober.TLS)}},
		{"client certificate wanted, TLS 1.3", faultlab.ClientCertificateRequired13, asIs, raced, []outcome{badCert(prober.Processing), badCert(prober.Request)}},
		{"client certificate wanted, TLS 1.3, upload", faultlab.ClientCertificateRequired13, uploading, raced, []outcome{badCert(prober.Request)}},
		{"client certificate given, TLS 1.2", faultlab.ClientCertificateRequired12, withCert, 5, []outcome{success}},
		{"client certificate given, TLS 1.3", faultlab.ClientCertificateRequired13, withCert, 5, []outcome{success}},
		{"alert handshake_failure", alert(40), asIs, raced, told(prober.TLSVersionOrCipherMismatch)},
		{"alert access_denied", alert(49), asIs, raced, told(prober.TLSProtocolError)},
		{"alert protocol_version", alert(70), asIs, raced, told(prober.TLSVersionOrCipherMismatch)},
		{"alert insufficient_security", alert(71), asIs, raced, told(prober.TLSVersionOrCipherMismatch)},
		{"alert internal_error", alert(80), asIs, raced, told(prober.TLSProtocolError)},
		{"alert user_canceled", alert(90), asIs, raced, told(prober.TLSProtocolError)},
		{"alert unrecognized_name", alert(112), asIs, raced, told(prober.TLSUnrecognizedName)},
		{"alert certificate_required", alert(116), asIs, raced, told(prober.TLSBadClientAuthCert)},
		{"alert no_application_protocol", alert(120), asIs, raced, told(prober.TLSALPNMismatch)},
		{"HTTP on the TLS port", faultlab.HTTPOnTLSPort, asIs, raced, told(prober.TLSNotTLS)},
		{"SSH on the TLS port", faultlab.SSHOnTLSPort, asIs, raced, told(prober.TLSNotTLS)},
		{"a record that means nothing", faultlab.TLSUnknownHandshakeMessage, asIs, 5, told(prober.TLSProtocolError)},
		{"cipher suite refused by us", faultlab.TLSServerHelloUnknownSuite, asIs, 5, refused(prober.TLSVersionOrCipherMismatch)},
		{"plain HTTP to Go's TLS", faultlab.PlainHTTPOnTLSPort, asIs, 5, []outcome{statusError(prober.HTTPError)}},
		{"plain HTTP to TLS that alerts", faultlab.PlainHTTPOnTLSPortAlert, asIs, raced, []outcome{notHTTP, cutBody}},
		{"plain HTTP to TLS that closes", faultlab.PlainHTTPOnTLSPortClosed, asIs, raced, []outcome{peerClosed}},
		{"RST after the request", faultlab.TLSResetAfterRequest, asIs, raced, []outcome{peerReset}},
		{"FIN after the request", faultlab.TLSFinAfterRequest, asIs, raced, []outcome{peerClosed}},
		{"close_notify after the request", faultlab.TLSCloseNotifyAfterRequest, asIs, raced, []outcome{peerClosed}},
		{"close_notify in the head", faultlab.TLSCloseNotifyMidHead, asIs, raced, []outcome{cutBody}},
		{"RST in the body", faultlab.TLSResetMidBody, asIs, raced, []outcome{resetBody}},
		{"FIN in the body", faultlab.TLSFinMidBody, asIs, raced, []outcome{cutBody}},
		{"close_notify in the body", faultlab.TLSCloseNotifyMidBody, asIs, raced, []outcome{cutBody}},
		{"FIN ends the body", faultlab.TLSCutUntilEOFBody, asIs, raced, []outcome{success}},
		{"bad MAC", faultlab.TLSBadMAC, asIs, raced, []outcome{{prober.Processing, prober.TLSProtocolError, 0, prober.Peer, ""}}},
	}
}

func TestHTTP2Faults(t *testing.T) { probeFaults(t, http2Faults()) }

func http2Faults() []fault {
	told := func(phase prober.Phase, reason prober.Reason) []outcome {
		return []outcome{{phase, reason, 0, prober.Peer, ""}}
	}
	streamReset := func(code http2.ErrCode) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.H2StreamReset(h, code) }
	}
	resetMidBody := func(h faultlab.Host) string {
		h.Helper()
		return faultlab.H2StreamResetMidBody(h, http2.ErrCodeInternal)
	}
	large := func(m *config.Module) { m.Method, m.Body = http.MethodPost, make([]byte, 900<<10) }
	return []fault{
		{"GOAWAY NO_ERROR", faultlab.H2GoAwayNoError, asIs, raced, told(prober.Processing, prober.H2GoAway)},
		{"GOAWAY, then FIN", faultlab.H2GoAwayThenFin, asIs, raced, told(prober.Processing, prober.H2GoAway)},
		{"GOAWAY, then RST", faultlab.H2GoAwayThenReset, asIs, raced, told(prober.Processing, prober.H2GoAway)},
		{"GOAWAY ENHANCE_YOUR_CALM", faultlab.H2EnhanceYourCalm, asIs, raced, told(prober.Processing, prober.H2Throttled)},
		{"RST_STREAM REFUSED_STREAM", streamReset(http2.ErrCodeRefusedStream), asIs, raced, told(prober.Processing, prober.H2StreamRefused)},
		{"RST_STREAM ENHANCE_YOUR_CALM", streamReset(http2.ErrCodeEnhanceYourCalm), asIs, raced, told(prober.Processing, prober.H2Throttled)},
		{"RST_STREAM PROTOCOL_ERROR", streamReset(http2.ErrCodeProtocol), asIs, raced, told(prober.Processing, prober.H2StreamReset)},
		{"RST_STREAM INTERNAL_ERROR", streamReset(http2.ErrCodeInternal), asIs, raced, told(prober.Processing, prober.H2StreamReset)},
		{"RST_STREAM CANCEL", streamReset(http2.ErrCodeCancel), asIs, raced, told(prober.Processing, prober.H2StreamReset)},
		{"RST_STREAM HTTP_1_1_REQUIRED", streamReset(http2.ErrCodeHTTP11Required), asIs, raced, told(prober.Processing, prober.H2StreamReset)},
		{"RST_STREAM NO_ERROR", streamReset(http2.ErrCodeNo), asIs, raced, told(prober.Processing, prober.H2StreamReset)},
		{"RST_STREAM in the body", resetMidBody, asIs, raced, told(prober.Transfer, prober.H2StreamReset)},
		{"silence", faultlab.H2Silent, briefly, once, []outcome{tooSlow}},
		{"silence, without settings", faultlab.H2Mute, briefly, once, []outcome{tooSlow}},
		{"HTTP/1.1 for an answer", faultlab.H2HTTP1Answer, asIs, raced, []outcome{told(prober.Processing, prober.H2ProtocolError)[0], told(prober.Request, prober.H2ProtocolError)[0]}},
		{"bad frame", faultlab.H2BadFrame, asIs, raced, told(prober.Processing, prober.H2ProtocolError)},
		{"head of 2 MiB under HPACK", faultlab.H2HugeHeadersCompressed, asIs, raced, []outcome{{prober.Transfer, prober.HTTPHeadersTooLarge, 0, prober.Self, ""}}},
		{"head of 2 MiB", faultlab.H2HugeHeaders, asIs, raced, []outcome{{prober.Transfer, prober.HTTPHeadersTooLarge, 0, prober.Self, ""}}},
		{"RST after the request", faultlab.H2ResetAfterRequest, asIs, raced, []outcome{peerReset}},
		{"FIN after the request", faultlab.H2FinAfterRequest, asIs, raced, []outcome{peerClosed}},
		{"RST in an upload", faultlab.H2ResetMidUpload, large, raced, []outcome{at(prober.Request, peerReset)}},
		{"RST in the body", faultlab.H2ResetMidBody, asIs, raced, []outcome{resetBody}},
		{"FIN in the body", faultlab.H2FinMidBody, asIs, raced, []outcome{cutBody}},
		{"stream ends short", faultlab.H2ShortBody, asIs, raced, []outcome{badBody}},
		{"stall in the body", faultlab.H2StallMidBody, briefly, once, []outcome{stalled}},
	}
}
