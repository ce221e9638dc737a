package resulttest

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"errno_exporter/prober/result"
)

const day = 24 * time.Hour

// certificate is valid from 90 days before the probe to the time given after it.
func certificate(subject, issuer string, left time.Duration, names ...string) *x509.Certificate {
	return &x509.Certificate{
		Raw: []byte(subject), Subject: pkix.Name{CommonName: subject}, Issuer: pkix.Name{CommonName: issuer},
		DNSNames: names, RawSubjectPublicKeyInfo: []byte(subject),
		NotBefore: Began().Add(-90 * day), NotAfter: Began().Add(left), SerialNumber: big.NewInt(0x0bff17),
	}
}

// session is a finished TLS 1.3 handshake whose certificate was verified, by way of the intermediate and, when that has
// expired, straight from a root.
func session(name string) *result.TLSState {
	chain := []*x509.Certificate{
		certificate(name, "Example Intermediate", 40*day, name, "api.example.com"),
		certificate("Example Intermediate", "Example Root", 20*day),
	}
	root := certificate("Example Root", "Example Root", 4000*day)
	return &result.TLSState{
		Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, Group: uint16(tls.X25519MLKEM768),
		ServerName: name, ALPN: "h2", Chain: chain,
		VerifiedChains: [][]*x509.Certificate{{chain[0], chain[1], root}, {chain[0], root}}, Complete: true,
	}
}

// HTTPSRedirect is a redirect that was followed to a healthy HTTP/2 server.
func HTTPSRedirect() result.Result {
	const first, second = "http://example.com/", "https://www.example.com/?token=<hidden>"
	secured := secureHop(second, 20, nil)
	secured.Spans = append(secured.Spans, span(result.Processing, 60, 30), span(result.Transfer, 90, 5),
		span(result.Validate, 95, 0))
	secured.Response = &result.Response{
		Proto: "HTTP/2.0", ProtoMajor: 2, Status: 200, StatusText: "200 OK", ContentLength: -1, BodyBytes: 4096,
		Complete: true,
		Header:   http.Header{"Content-Type": {"text/html"}},
	}
	return probed(first, 95, nil, result.Hop{
		URL: first,
		Spans: []result.Span{span(result.Resolve, 0, 1), span(result.Connect, 1, 9), span(result.Request, 10, 0.5),
			span(result.Processing, 10.5, 8.5), span(result.Transfer, 19, 1)},
		Lookup: answered("example.com", "192.0.2.7"), Answers: []netip.Addr{addr("192.0.2.7")},
		Addr: addrPort("192.0.2.7:80"),
		Wire: &result.Wire{Local: addrPort("10.0.0.7:41000"), Remote: addrPort("192.0.2.7:80"), BytesSent: 80,
			BytesReceived: 120},
		Request: get(first, "example.com"),
		Response: &result.Response{
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Status: 301, StatusText: "301 Moved Permanently",
			Complete: true,
			Header:   http.Header{"Location": {"https://www.example.com/?token=hunter2"}},
		},
	}, secured)
}

// secureHop is a hop up to the request written, the times in milliseconds.
func secureHop(target string, start float64, failure *result.Event) result.Hop {
	events := []result.Event{
		{Op: result.OpWrite, Start: ms(start + 12), End: ms(start + 12.1), Calls: 1, Bytes: 1500},
		{Op: result.OpRead, Start: ms(start + 12.1), End: ms(start + 35), Calls: 3, Bytes: 2800},
		{Op: result.OpWrite, Start: ms(start + 36), End: ms(start + 40), Calls: 2, Bytes: 200},
	}
	at := "close"
	if failure != nil {
		events, at = append(events, *failure), "failure"
	}
	return result.Hop{
		URL: target,
		Spans: []result.Span{span(result.Resolve, start, 2), span(result.Connect, start+2, 10),
			span(result.TLS, start+12, 24),
			span(result.Request, start+36, 4)},
		Lookup: answered("www.example.com", "192.0.2.8"), Answers: []netip.Addr{addr("192.0.2.8")},
		Addr: addrPort("192.0.2.8:443"),
		Wire: &result.Wire{
			Local: addrPort("10.0.0.7:41002"), Remote: addrPort("192.0.2.8:443"), BytesSent: 1700, BytesReceived: 2800,
			Events: events, Cause: failure, Info: info("ESTABLISHED"), InfoAt: at,
		},
		TLS:     session("www.example.com"),
		Waited:  1250 * time.Microsecond,
		Request: get(target, "www.example.com"),
	}
}

// ResetInProcessing is a server that resets while we wait for its response.
func ResetInProcessing() result.Result {
	const target = "https://www.example.com/health"
	cause := result.Event{Op: result.OpRead, Start: ms(40), End: ms(1203), Calls: 1, Errno: syscall.ECONNRESET,
		Err: syscall.ECONNRESET}
	failure := &result.Failure{Phase: result.Processing, Reason: result.TCPReset, Errno: syscall.ECONNRESET,
		Origin: result.Peer,
		Err:    &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}}
	hop := secureHop(target, 0, &cause)
	hop.Spans = append(hop.Spans, failed(result.Processing, 40, 1163))
	hop.Wire.Info.State = "CLOSE"
	return probed(target, 1203, failure, hop)
}

// ExpiredCertificate is a certificate that ran out three days before the probe.
func ExpiredCertificate() result.Result {
	const target = "https://www.example.com/health"
	failure := &result.Failure{Phase: result.TLS, Reason: result.TLSCertDateInvalid, Origin: result.Self,
		Err: errors.New("x509: certificate has expired or is not yet valid")}
	hop := secureHop(target, 0, nil)
	hop.Spans = []result.Span{hop.Spans[0], hop.Spans[1], failed(result.TLS, 12, 23)}
	hop.Request = nil
	hop.TLS = &result.TLSState{ServerName: "www.example.com",
		Chain: []*x509.Certificate{certificate("www.example.com", "Example Intermediate", -3*day, "www.example.com")}}
	return probed(target, 35, failure, hop)
}

// RevokedCertificate is a certificate that is in the list of its authority, whose own list is not to be had.
func RevokedCertificate() result.Result {
	const target, list = "https://www.example.com/health", "http://crl.example.com/ca.crl"
	hop := secureHop(target, 0, nil)
	hop.Spans = []result.Span{hop.Spans[0], hop.Spans[1], failed(result.TLS, 12, 23)}
	hop.Request = nil
	hop.TLS.Revocations = []result.Revocation{
		{Subject: "CN=www.example.com", Issuer: "CN=Example Intermediate", Names: "www.example.com,api.example.com",
			Serial: "0bff17", List: list, Available: true, Revoked: true, Stale: true, NextUpdate: Began().Add(-day)},
		{Subject: "CN=Example Intermediate", Issuer: "CN=Example Root", Serial: "0bff17",
			List: "http://crl.example.com/root.crl", Problem: "it could not be fetched: connection refused (ECONNREFUSED)"},
		{Subject: "CN=Example Root", Issuer: "CN=Example Root", Serial: "0bff17", Problem: "the certificate names no list"},
	}
	hop.TLS.ListsTook = ms(31)
	hop.TLS.Staple = &result.Staple{Status: result.StapleGood, ThisUpdate: Began().Add(-3 * day),
		NextUpdate: Began().Add(4 * day)}
	failure := &result.Failure{Phase: result.TLS, Reason: result.TLSCertRevoked, Origin: result.Self,
		Err: &result.RevokedError{Subject: "CN=www.example.com", Serial: "0bff17", At: Began().Add(-2 * day),
			Reason: "key compromise", List: list}}
	return probed(target, 66, failure, hop)
}

// Hostile is a server that puts terminal escapes, line feeds and invalid UTF-8 into all that it may choose.
func Hostile() result.Result {
	const escape = "\x1b[2J\x1b[31m\nOK: all is well\r\u202e\xff"
	r := ResetInProcessing()
	hop := &r.Attempts[0].Hops[0]
	hop.TLS.Chain = []*x509.Certificate{certificate(escape, escape, 40*day, escape)}
	hop.TLS.VerifiedChains = nil
	hop.TLS.Revocations = []result.Revocation{
		{Subject: escape, Issuer: escape, Names: escape, Serial: escape, List: escape, Problem: escape}}
	hop.TLS.Staple = &result.Staple{Status: result.StapleInvalid, Problem: escape}
	hop.Response = &result.Response{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Status: 200, StatusText: "200 " +
		escape,
		Header: http.Header{"X-" + escape: {escape}, "Location": {escape}}}
	r.Failure.Err = errors.New(escape)
	hop.Wire.Reset = &result.Reset{Sender: result.Ambiguous, TTL: 63, RST: &result.RST{At: ms(1202), AfterSYNACK: ms(1192),
		AfterWrite: ms(1162), ACK: true, Sequence: result.SequenceExact, Acked: 1700, Window: 229, IPv4: true, DF: true,
		Index: 1, Count: 3, Payload: escape}}
	return r
}
