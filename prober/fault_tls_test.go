package prober_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"golang.org/x/net/http2"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

func TestTLSFaults(t *testing.T) { probeFaults(t, tlsFaults()) }

func tlsFaults() []fault {
	refused := func(reason result.Reason) []outcome { return []outcome{{result.TLS, reason, 0, result.Self, ""}} }
	told := func(reason result.Reason) []outcome { return []outcome{{result.TLS, reason, 0, result.Peer, ""}} }
	alert := func(code uint8) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.TLSAlert(h, code) }
	}
	reset, closed := at(result.TLS, peerReset), at(result.TLS, peerClosed)
	badCert := func(phase result.Phase) outcome {
		return outcome{phase, result.TLSBadClientAuthCert, 0, result.Peer, ""}
	}
	only12 := func(m *module.Module) { m.TLS.MaxVersion = tls.VersionTLS12 }
	withCert := func(m *module.Module) { m.TLS.Certificates = []tls.Certificate{faultlab.ClientCertificate()} }
	insecure := func(m *module.Module) { m.TLS.InsecureSkipVerify = true }
	return []fault{
		{"RST after ClientHello", faultlab.TLSResetAfterHello, asIs, raced, []outcome{reset}},
		{"FIN after ClientHello", faultlab.TLSFinAfterHello, asIs, raced, []outcome{closed}},
		{"FIN in a record", faultlab.TLSFinMidRecord, asIs, raced, []outcome{closed}},
		{"close_notify in the handshake", faultlab.TLSCloseNotifyInHandshake, asIs, raced, []outcome{closed}},
		{"silence", faultlab.TLSSilent, briefly, once, refused(result.TLSTimedOut)},
		{"expired", faultlab.ExpiredCertificate, asIs, 5, refused(result.TLSCertDateInvalid)},
		{"not yet valid", faultlab.CertificateNotYetValid, asIs, 5, refused(result.TLSCertDateInvalid)},
		{"wrong host", faultlab.CertificateWrongHost, asIs, 5, refused(result.TLSCertNameInvalid)},
		{"common name only", faultlab.CertificateCommonNameOnly, asIs, 5, refused(result.TLSCertNameInvalid)},
		{"unknown CA", faultlab.CertificateUnknownCA, asIs, 5, refused(result.TLSCertAuthorityInvalid)},
		{"CA's name with another key", faultlab.CertificateSameNameOtherKey, asIs, 5,
			refused(result.TLSCertAuthorityInvalid)},
		{"for clients only", faultlab.CertificateWrongUsage, asIs, 5, refused(result.TLSCertInvalid)},
		{"expired, not verified", faultlab.ExpiredCertificate, insecure, once, []outcome{success}},
		{"version too new for us", faultlab.TLSVersionTooNew, only12, 5, told(result.TLSVersionOrCipherMismatch)},
		{"version too old for us", faultlab.TLSVersionTooOld, asIs, 5, told(result.TLSVersionOrCipherMismatch)},
		{"version refused by us", faultlab.TLSServerHelloOfTLS11, asIs, 5, refused(result.TLSVersionOrCipherMismatch)},
		{"no common cipher", faultlab.TLSNoCommonCipher, asIs, 5, told(result.TLSVersionOrCipherMismatch)},
		{"no common ALPN", faultlab.TLSNoCommonALPN, asIs, 5, told(result.TLSALPNMismatch)},
		{"client certificate wanted, TLS 1.2", faultlab.ClientCertificateRequired12, asIs, raced,
			[]outcome{badCert(result.TLS)}},
		{"client certificate wanted, TLS 1.3", faultlab.ClientCertificateRequired13, asIs, raced,
			[]outcome{badCert(result.Processing), badCert(result.Request)}},
		{"client certificate wanted, TLS 1.3, upload", faultlab.ClientCertificateRequired13, uploading, raced,
			[]outcome{badCert(result.Request)}},
		{"client certificate given, TLS 1.2", faultlab.ClientCertificateRequired12, withCert, 5, []outcome{success}},
		{"client certificate given, TLS 1.3", faultlab.ClientCertificateRequired13, withCert, 5, []outcome{success}},
		{"alert handshake_failure", alert(40), asIs, raced, told(result.TLSVersionOrCipherMismatch)},
		{"alert access_denied", alert(49), asIs, raced, told(result.TLSProtocolError)},
		{"alert protocol_version", alert(70), asIs, raced, told(result.TLSVersionOrCipherMismatch)},
		{"alert insufficient_security", alert(71), asIs, raced, told(result.TLSVersionOrCipherMismatch)},
		{"alert internal_error", alert(80), asIs, raced, told(result.TLSProtocolError)},
		{"alert user_canceled", alert(90), asIs, raced, told(result.TLSProtocolError)},
		{"alert unrecognized_name", alert(112), asIs, raced, told(result.TLSUnrecognizedName)},
		{"alert certificate_required", alert(116), asIs, raced, told(result.TLSBadClientAuthCert)},
		{"alert no_application_protocol", alert(120), asIs, raced, told(result.TLSALPNMismatch)},
		{"HTTP on the TLS port", faultlab.HTTPOnTLSPort, asIs, raced, told(result.TLSNotTLS)},
		{"SSH on the TLS port", faultlab.SSHOnTLSPort, asIs, raced, told(result.TLSNotTLS)},
		{"chain of more than 256 KiB", faultlab.TLSHugeChain, asIs, 5, told(result.TLSFailed)},
		{"a record that means nothing", faultlab.TLSUnknownHandshakeMessage, asIs, 5, told(result.TLSProtocolError)},
		{"cipher suite refused by us", faultlab.TLSServerHelloUnknownSuite, asIs, 5,
			refused(result.TLSVersionOrCipherMismatch)},
		{"plain HTTP to Go's TLS", faultlab.PlainHTTPOnTLSPort, asIs, 5, []outcome{statusError(result.HTTPError)}},
		{"plain HTTP to TLS that alerts", faultlab.PlainHTTPOnTLSPortAlert, asIs, raced, []outcome{notHTTP}},
		{"plain HTTP to TLS that closes", faultlab.PlainHTTPOnTLSPortClosed, asIs, raced, []outcome{peerClosed}},
		{"RST after the request", faultlab.TLSResetAfterRequest, asIs, raced, []outcome{peerReset}},
		{"FIN after the request", faultlab.TLSFinAfterRequest, asIs, raced, []outcome{peerClosed}},
		{"close_notify after the request", faultlab.TLSCloseNotifyAfterRequest, asIs, raced, []outcome{peerClosed}},
		{"close_notify in the head", faultlab.TLSCloseNotifyMidHead, asIs, raced, []outcome{cutBody}},
		{"RST in the body", faultlab.TLSResetMidBody, asIs, raced, []outcome{resetBody}},
		{"FIN in the body", faultlab.TLSFinMidBody, asIs, raced, []outcome{cutBody}},
		{"close_notify in the body", faultlab.TLSCloseNotifyMidBody, asIs, raced, []outcome{cutBody}},
		{"FIN ends the body", faultlab.TLSCutUntilEOFBody, asIs, raced, []outcome{success}},
		{"bad MAC", faultlab.TLSBadMAC, asIs, raced,
			[]outcome{{result.Processing, result.TLSProtocolError, 0, result.Peer, ""}}},
	}
}

func TestHTTP2Faults(t *testing.T) { probeFaults(t, http2Faults()) }

func http2Faults() []fault {
	told := func(phase result.Phase, reason result.Reason) []outcome {
		return []outcome{{phase, reason, 0, result.Peer, ""}}
	}
	streamReset := func(code http2.ErrCode) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.H2StreamReset(h, code) }
	}
	resetMidBody := func(h faultlab.Host) string {
		h.Helper()
		return faultlab.H2StreamResetMidBody(h, http2.ErrCodeInternal)
	}
	large := func(m *module.Module) { m.Method, m.Body = http.MethodPost, make([]byte, 900<<10) }
	return []fault{
		{"GOAWAY NO_ERROR", faultlab.H2GoAwayNoError, asIs, raced, told(result.Processing, result.H2GoAway)},
		{"GOAWAY NO_ERROR that covers the stream, then silence", faultlab.H2GoAwayDrains, briefly, once,
			[]outcome{tooSlow}},
		{"GOAWAY, then FIN", faultlab.H2GoAwayThenFin, asIs, raced, told(result.Processing, result.H2GoAway)},
		{"GOAWAY, then RST", faultlab.H2GoAwayThenReset, asIs, raced, told(result.Processing, result.H2GoAway)},
		{"GOAWAY ENHANCE_YOUR_CALM", faultlab.H2EnhanceYourCalm, asIs, raced,
			told(result.Processing, result.H2Throttled)},
		{"RST_STREAM REFUSED_STREAM", streamReset(http2.ErrCodeRefusedStream), asIs, raced,
			told(result.Processing, result.H2StreamRefused)},
		{"RST_STREAM ENHANCE_YOUR_CALM", streamReset(http2.ErrCodeEnhanceYourCalm), asIs, raced,
			told(result.Processing, result.H2Throttled)},
		{"RST_STREAM PROTOCOL_ERROR", streamReset(http2.ErrCodeProtocol), asIs, raced,
			told(result.Processing, result.H2StreamReset)},
		{"RST_STREAM INTERNAL_ERROR", streamReset(http2.ErrCodeInternal), asIs, raced,
			told(result.Processing, result.H2StreamReset)},
		{"RST_STREAM CANCEL", streamReset(http2.ErrCodeCancel), asIs, raced,
			told(result.Processing, result.H2StreamReset)},
		{"RST_STREAM HTTP_1_1_REQUIRED", streamReset(http2.ErrCodeHTTP11Required), asIs, raced,
			told(result.Processing, result.H2StreamReset)},
		{"RST_STREAM NO_ERROR", streamReset(http2.ErrCodeNo), asIs, raced,
			told(result.Processing, result.H2StreamReset)},
		{"RST_STREAM in the body", resetMidBody, asIs, raced, told(result.Transfer, result.H2StreamReset)},
		{"silence", faultlab.H2Silent, briefly, once, []outcome{tooSlow}},
		{"silence, without settings", faultlab.H2Mute, briefly, once, []outcome{tooSlow}},
		{"HTTP/1.1 for an answer", faultlab.H2HTTP1Answer, asIs, raced,
			[]outcome{told(result.Processing, result.H2ProtocolError)[0],
				told(result.Request, result.H2ProtocolError)[0]}},
		{"HTTP/2: a negative status", func(h faultlab.Host) string { return faultlab.H2Status(h, "-2000") }, asIs, 5,
			[]outcome{notHTTP}},
		{"HTTP/2: a status of four digits", func(h faultlab.Host) string { return faultlab.H2Status(h, "2000") }, asIs, 5,
			[]outcome{notHTTP}},
		{"bad frame", faultlab.H2BadFrame, asIs, raced, told(result.Processing, result.H2ProtocolError)},
		{"head of 2 MiB under HPACK", faultlab.H2HugeHeadersCompressed, asIs, raced,
			[]outcome{{result.Transfer, result.HTTPHeadersTooLarge, 0, result.Self, ""}}},
		{"head of 2 MiB", faultlab.H2HugeHeaders, asIs, raced,
			[]outcome{{result.Transfer, result.HTTPHeadersTooLarge, 0, result.Self, ""}}},
		{"RST after the request", faultlab.H2ResetAfterRequest, asIs, raced, []outcome{peerReset}},
		{"FIN after the request", faultlab.H2FinAfterRequest, asIs, raced, []outcome{peerClosed}},
		{"RST in an upload", faultlab.H2ResetMidUpload, large, raced, []outcome{at(result.Request, peerReset)}},
		{"RST in the body", faultlab.H2ResetMidBody, asIs, raced, []outcome{resetBody}},
		{"FIN in the body", faultlab.H2FinMidBody, asIs, raced, []outcome{cutBody}},
		{"stream ends short", faultlab.H2ShortBody, asIs, raced, []outcome{badBody}},
		{"stall in the body", faultlab.H2StallMidBody, briefly, once, []outcome{stalled}},
	}
}
