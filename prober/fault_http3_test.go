package prober_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
)

func TestHTTP3Faults(t *testing.T) { probeFaults(t, http3Faults()) }

// Codes of RFC 9114 section 8.1.
const (
	h3NoError         = 0x100
	h3InternalError   = 0x102
	h3RequestRejected = 0x10b
)

// overHTTP3 is enable_http3: true.
func overHTTP3(m *config.Module) {
	m.EnableHTTP2, m.EnableHTTP3, m.TLS.NextProtos = false, true, []string{"h3"}
}

func http3Faults() []fault {
	refused := func(phase prober.Phase, reason prober.Reason) []outcome {
		return []outcome{{phase, reason, 0, prober.Self, ""}}
	}
	told := func(phase prober.Phase, reason prober.Reason) []outcome {
		return []outcome{{phase, reason, 0, prober.Peer, ""}}
	}
	over3 := func(change func(*config.Module)) func(*config.Module) {
		return func(m *config.Module) { overHTTP3(m); change(m) }
	}
	plain, brief := over3(asIs), over3(briefly)
	seconds := over3(func(m *config.Module) { m.Timeout = 1500 * time.Millisecond })
	closes := func(code uint64) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.HTTP3Closes(h, code) }
	}
	resets := func(code uint64) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.HTTP3ResetsStream(h, code) }
	}
	healthy := func(h faultlab.Host) string { h.Helper(); return faultlab.HTTP3Handler(h, faultlab.Healthy) }
	return []fault{
		{"healthy", healthy, plain, 5, []outcome{success}},
		{"healthy, upload", healthy, over3(func(m *config.Module) { m.Method, m.Body = "POST", make([]byte, 1<<20) }), 5, []outcome{success}},
		{"healthy, by hand", faultlab.HTTP3Minimal, plain, 5, []outcome{success}},
		{"nothing listens", faultlab.QUICClosedPort, plain, 5, []outcome{{prober.Connect, prober.QUICRefused, syscall.ECONNREFUSED, prober.Peer, ""}}},
		{"silence", faultlab.QUICSilent, brief, once, refused(prober.Connect, prober.QUICTimedOut)},
		{"no common version", faultlab.QUICOtherVersion, plain, 5, told(prober.Connect, prober.QUICVersion)},
		{"CONNECTION_REFUSED", faultlab.QUICRefuses, plain, 5, told(prober.Connect, prober.QUICRefused)},
		{"silence after Retry", faultlab.QUICSilentInHandshake, brief, once, refused(prober.TLS, prober.TLSTimedOut)},
		{"expired", faultlab.HTTP3ExpiredCertificate, plain, 5, refused(prober.TLS, prober.TLSCertDateInvalid)},
		{"wrong host", faultlab.HTTP3WrongHost, plain, 5, refused(prober.TLS, prober.TLSCertNameInvalid)},
		{"unknown CA", faultlab.HTTP3UnknownCA, plain, 5, refused(prober.TLS, prober.TLSCertAuthorityInvalid)},
		{"no common ALPN", faultlab.HTTP3NoCommonALPN, plain, 5, told(prober.TLS, prober.TLSALPNMismatch)},
		{"client certificate wanted", faultlab.HTTP3ClientCertificateRequired, plain, raced,
			slices.Concat(told(prober.TLS, prober.TLSBadClientAuthCert), told(prober.Request, prober.TLSBadClientAuthCert), told(prober.Processing, prober.TLSBadClientAuthCert))},
		{"no answer to the request", faultlab.HTTP3Silent, brief, once, refused(prober.Processing, prober.HTTPResponseTimedOut)},
		{"no more of the body", faultlab.HTTP3StallsInBody, brief, once, refused(prober.Transfer, prober.HTTPResponseTimedOut)},
		{"body ends short", faultlab.HTTP3ShortBody, plain, 5, told(prober.Transfer, prober.HTTPResponseInvalid)},
		{"no response", faultlab.HTTP3EndsWithoutResponse, plain, 5, told(prober.Processing, prober.QUICProtocolError)},
		{"body before the head", faultlab.HTTP3BadFrame, plain, 5, told(prober.Transfer, prober.HTTPProtocolError)},
		{"no settings", faultlab.HTTP3NoSettings, plain, 5, told(prober.Processing, prober.QUICProtocolError)},
		{"head that cannot be decoded", faultlab.HTTP3BadHead, plain, 5, told(prober.Transfer, prober.HTTPProtocolError)},
		{"head of 16 MB", faultlab.HTTP3HugeHead, plain, 5, refused(prober.Transfer, prober.HTTPHeadersTooLarge)},
		{"stream reset", resets(h3InternalError), plain, raced, told(prober.Processing, prober.QUICStreamReset)},
		{"request rejected", resets(h3RequestRejected), plain, raced, told(prober.Processing, prober.QUICStreamReset)},
		{"closed", closes(h3NoError), plain, raced, told(prober.Processing, prober.QUICClosed)},
		{"closed with an error", closes(h3InternalError), plain, raced, told(prober.Processing, prober.QUICClosed)},
		{"closed in the body", faultlab.HTTP3ClosesInBody, plain, 5, told(prober.Transfer, prober.QUICClosed)},
		{"upload that nobody reads", faultlab.HTTP3NeverReads, over3(stuck), once, refused(prober.Request, prober.QUICStalled)},
		{"path dies", faultlab.HTTP3PathDies, seconds, once, refused(prober.Processing, prober.QUICTimedOut)},
		{"server dies", faultlab.HTTP3ServerDies, plain, once, []outcome{{prober.Processing, prober.QUICReset, syscall.ECONNREFUSED, prober.Peer, ""}}},
		{"server restarts", faultlab.HTTP3ServerRestarts, plain, once, told(prober.Processing, prober.QUICReset)},
	}
}
