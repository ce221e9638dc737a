package faultlab_test

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
)

// observed is a connection that remembers the first error that its socket returned from a read.
type observed struct {
	net.Conn
	first error
}

func (o *observed) Read(p []byte) (int, error) {
	n, err := o.Conn.Read(p)
	if err != nil && o.first == nil {
		o.first = err
	}
	return n, err
}

// seenTLS is what a TLS client observed: how the handshake failed, or what came after it, as TLS and as the socket told
// it.
type seenTLS struct {
	Handshake string
	After     seen
	Socket    string
}

func converseTLS(t *testing.T, target string, change func(*tls.Config), within time.Duration) seenTLS {
	t.Helper()
	raw, err := net.Dial("tcp", hostPort(t, target))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.SetDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: faultlab.Roots(), ServerName: "127.0.0.1", NextProtos: []string{"http/1.1"}}
	change(config)
	under := &observed{Conn: raw}
	conn := tls.Client(under, config)
	if err := conn.Handshake(); err != nil {
		return seenTLS{Handshake: end(err)}
	}
	got := seenTLS{After: talk(t, conn, ask, within)}
	if under.first != nil {
		got.Socket = end(under.first)
	}
	return got
}

// Changes of the client's configuration.
var (
	asIs   = func(*tls.Config) {}
	only12 = func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }
	ours   = func(c *tls.Config) { c.Certificates = []tls.Certificate{faultlab.ClientCertificate()} }
)

func TestTLS(t *testing.T) {
	failed := func(text string) seenTLS { return seenTLS{Handshake: text} }
	after := func(bytes, end, socket string) seenTLS { return seenTLS{After: seen{bytes, end}, Socket: socket} }
	const healthy = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
	for _, row := range []struct {
		name   string
		serve  server
		client func(*tls.Config)
		want   seenTLS
	}{
		{"ExpiredCertificate", faultlab.ExpiredCertificate, asIs, failed("certificate invalid, reason 1")},
		{"CertificateNotYetValid", faultlab.CertificateNotYetValid, asIs, failed("certificate invalid, reason 1")},
		{"CertificateWrongHost", faultlab.CertificateWrongHost, asIs, failed("certificate is not for 127.0.0.1")},
		{"CertificateCommonNameOnly", faultlab.CertificateCommonNameOnly, asIs,
			failed("certificate is not for 127.0.0.1")},
		{"CertificateUnknownCA", faultlab.CertificateUnknownCA, asIs, failed("certificate of an unknown authority")},
		{"CertificateSameNameOtherKey", faultlab.CertificateSameNameOtherKey, asIs,
			failed("certificate of an unknown authority")},
		{"CertificateWrongUsage", faultlab.CertificateWrongUsage, asIs, failed("certificate invalid, reason 4")},
		{"TLSVersionTooNew, client up to 1.2", faultlab.TLSVersionTooNew, only12,
			failed("remote error: tls: protocol version not supported")},
		{"TLSVersionTooNew, any client", faultlab.TLSVersionTooNew, asIs, after(healthy, closed, "")},
		{"TLSVersionTooOld", faultlab.TLSVersionTooOld, asIs,
			failed("remote error: tls: protocol version not supported")},
		{"TLSNoCommonCipher", faultlab.TLSNoCommonCipher, asIs, failed("remote error: tls: handshake failure")},
		{"TLSNoCommonALPN", faultlab.TLSNoCommonALPN, asIs, failed("remote error: tls: no application protocol")},
		{"ClientCertificateRequired12", faultlab.ClientCertificateRequired12, asIs,
			failed("remote error: tls: handshake failure")},
		{"ClientCertificateRequired12, given", faultlab.ClientCertificateRequired12, ours, after(healthy, closed, "")},
		{"ClientCertificateRequired13, given", faultlab.ClientCertificateRequired13, ours, after(healthy, closed, "")},
		{"TLSAlert 80", with(faultlab.TLSAlert, uint8(80)), asIs, failed("remote error: tls: internal error")},
		{"TLSAlert 116", with(faultlab.TLSAlert, uint8(116)), asIs, failed("remote error: tls: certificate required")},
		{"TLSCloseNotifyInHandshake", faultlab.TLSCloseNotifyInHandshake, asIs, failed(closed)},
		{"TLSResetAfterHello", faultlab.TLSResetAfterHello, asIs, failed(aborted)},
		{"TLSFinAfterHello", faultlab.TLSFinAfterHello, asIs, failed(closed)},
		{"TLSFinMidRecord", faultlab.TLSFinMidRecord, asIs, failed("unexpected EOF")},
		{"TLSSilent", faultlab.TLSSilent, asIs, failed(silence)},
		{"HTTPOnTLSPort", faultlab.HTTPOnTLSPort, asIs, failed(`not TLS: "HTTP/"`)},
		{"SSHOnTLSPort", faultlab.SSHOnTLSPort, asIs, failed(`not TLS: "SSH-2"`)},
		{"TLSResetAfterRequest", faultlab.TLSResetAfterRequest, asIs, after("", aborted, aborted)},
		{"TLSFinAfterRequest", faultlab.TLSFinAfterRequest, asIs, after("", closed, closed)},
		{"TLSCloseNotifyAfterRequest", faultlab.TLSCloseNotifyAfterRequest, asIs, after("", closed, "")},
		{"TLSResetMidBody", faultlab.TLSResetMidBody, asIs, after(length+some, aborted, aborted)},
		{"TLSFinMidBody", faultlab.TLSFinMidBody, asIs, after(length+some, closed, closed)},
		{"TLSCloseNotifyMidBody", faultlab.TLSCloseNotifyMidBody, asIs, after(length+some, closed, "")},
		{"TLSCloseNotifyMidHead", faultlab.TLSCloseNotifyMidHead, asIs, after(length[:30], closed, "")},
		{"TLSCutUntilEOFBody", faultlab.TLSCutUntilEOFBody, asIs,
			after("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+some, closed, closed)},
		{"TLSBadMAC", faultlab.TLSBadMAC, asIs, after("", "local error: tls: bad record MAC", "")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			target := row.serve(t)
			got := converseTLS(t, target, row.client, wait(row.want.Handshake))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("converseTLS(%s) (-want +got):\n%s", target, diff)
			}
		})
	}
}
