package prober_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

func TestHTTP3Faults(t *testing.T) { probeFaults(t, http3Faults()) }

// Codes of RFC 9114 section 8.1.
const (
	h3NoError         = 0x100
	h3InternalError   = 0x102
	h3RequestRejected = 0x10b
)

// overHTTP3 is enable_http3: true.
func overHTTP3(m *module.Module) {
	m.EnableHTTP2, m.EnableHTTP3, m.TLS.NextProtos = false, true, []string{"h3"}
}

func http3Faults() []fault {
	refused := func(phase result.Phase, reason result.Reason) []outcome {
		return []outcome{{phase, reason, 0, result.Self, ""}}
	}
	told := func(phase result.Phase, reason result.Reason) []outcome {
		return []outcome{{phase, reason, 0, result.Peer, ""}}
	}
	over3 := func(change func(*module.Module)) func(*module.Module) {
		return func(m *module.Module) { overHTTP3(m); change(m) }
	}
	plain, brief := over3(asIs), over3(briefly)
	seconds := over3(func(m *module.Module) { m.Timeout = 1500 * time.Millisecond })
	closes := func(code uint64) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.HTTP3Closes(h, code) }
	}
	resets := func(code uint64) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.HTTP3ResetsStream(h, code) }
	}
	healthy := func(h faultlab.Host) string { h.Helper(); return faultlab.HTTP3Handler(h, faultlab.Healthy) }
	return []fault{
		{"healthy", healthy, plain, 5, []outcome{success}},
		{"healthy, upload", healthy, over3(func(m *module.Module) { m.Method, m.Body = "POST", make([]byte, 1<<20) }),
			5, []outcome{success}},
		{"healthy, by hand", faultlab.HTTP3Minimal, plain, 5, []outcome{success}},
		{"nothing listens", faultlab.QUICClosedPort, plain, 5,
			[]outcome{{result.Connect, result.QUICRefused, syscall.ECONNREFUSED, result.Peer, ""}}},
		{"silence", faultlab.QUICSilent, brief, once, refused(result.Connect, result.QUICTimedOut)},
		{"no common version", faultlab.QUICOtherVersion, plain, 5, told(result.Connect, result.QUICVersion)},
		{"CONNECTION_REFUSED", faultlab.QUICRefuses, plain, 5, told(result.Connect, result.QUICRefused)},
		{"silence after Retry", faultlab.QUICSilentInHandshake, brief, once, refused(result.TLS, result.TLSTimedOut)},
		{"first datagram of the handshake and no other", faultlab.QUICCutInHandshake, brief, once,
			refused(result.TLS, result.TLSTimedOut)},
		{"Retry to every datagram", faultlab.QUICRetries, brief, once, refused(result.TLS, result.TLSTimedOut)},
		{"Version Negotiation to every datagram", faultlab.QUICOtherVersions, brief, once,
			refused(result.TLS, result.TLSTimedOut)},
		{"chain of more than 256 KiB", faultlab.HTTP3HugeChain, plain, 5, told(result.TLS, result.TLSProtocolError)},
		{"expired", faultlab.HTTP3ExpiredCertificate, plain, 5, refused(result.TLS, result.TLSCertDateInvalid)},
		{"wrong host", faultlab.HTTP3WrongHost, plain, 5, refused(result.TLS, result.TLSCertNameInvalid)},
		{"unknown CA", faultlab.HTTP3UnknownCA, plain, 5, refused(result.TLS, result.TLSCertAuthorityInvalid)},
		{"no common ALPN", faultlab.HTTP3NoCommonALPN, plain, 5, told(result.TLS, result.TLSALPNMismatch)},
		{"client certificate wanted", faultlab.HTTP3ClientCertificateRequired, plain, raced,
			slices.Concat(told(result.TLS, result.TLSBadClientAuthCert),
				told(result.Request, result.TLSBadClientAuthCert),
				told(result.Processing, result.TLSBadClientAuthCert))},
		{"no answer to the request", faultlab.HTTP3Silent, brief, once,
			refused(result.Processing, result.HTTPResponseTimedOut)},
		{"no more of the body", faultlab.HTTP3StallsInBody, brief, once,
			refused(result.Transfer, result.HTTPResponseTimedOut)},
		{"body ends short", faultlab.HTTP3ShortBody, plain, 5, told(result.Transfer, result.HTTPResponseInvalid)},
		{"no response", faultlab.HTTP3EndsWithoutResponse, plain, 5, told(result.Processing, result.QUICProtocolError)},
		{"body before the head", faultlab.HTTP3BadFrame, plain, 5, told(result.Transfer, result.HTTPProtocolError)},
		{"no settings", faultlab.HTTP3NoSettings, plain, 5, told(result.Processing, result.QUICProtocolError)},
		{"a negative status", func(h faultlab.Host) string { return faultlab.HTTP3Status(h, "-200") }, plain, 5,
			told(result.Transfer, result.HTTPProtocolError)},
		{"head that cannot be decoded", faultlab.HTTP3BadHead, plain, 5,
			told(result.Transfer, result.HTTPProtocolError)},
		{"head of 16 MB", faultlab.HTTP3HugeHead, plain, 5, refused(result.Transfer, result.HTTPHeadersTooLarge)},
		{"stream reset", resets(h3InternalError), plain, raced, told(result.Processing, result.QUICStreamReset)},
		{"request rejected", resets(h3RequestRejected), plain, raced, told(result.Processing, result.QUICStreamReset)},
		{"closed", closes(h3NoError), plain, raced, told(result.Processing, result.QUICClosed)},
		{"closed with an error", closes(h3InternalError), plain, raced, told(result.Processing, result.QUICClosed)},
		{"closed in the body", faultlab.HTTP3ClosesInBody, plain, 5, told(result.Transfer, result.QUICClosed)},
		{"upload that nobody reads", faultlab.HTTP3NeverReads, over3(stuck), once,
			refused(result.Request, result.QUICStalled)},
		{"path dies", faultlab.HTTP3PathDies, seconds, once, refused(result.Processing, result.QUICTimedOut)},
		{"server dies", faultlab.HTTP3ServerDies, plain, once,
			[]outcome{{result.Processing, result.QUICReset, syscall.ECONNREFUSED, result.Peer, ""}}},
		{"server restarts", faultlab.HTTP3ServerRestarts, plain, once, told(result.Processing, result.QUICReset)},
	}
}
