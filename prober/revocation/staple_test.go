package revocation_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/result"
	"errno_exporter/prober/revocation"
)

// stapled is the response of a server, with the certificate that it is about and its issuer.
func stapled(t *testing.T, s faultlab.Staple) (der []byte, c, issuer *x509.Certificate) {
	t.Helper()
	target := faultlab.Stapled(t, "http/1.1", s, faultlab.Healthy)
	conn, err := tls.Dial("tcp", target[len("https://"):len(target)-1], &tls.Config{RootCAs: faultlab.Roots()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	chain := conn.ConnectionState().VerifiedChains[0]
	return conn.OCSPResponse(), chain[0], chain[1]
}

// TestStaplesByTime: what is kept of a response is compared with the dates, and the certificate, of each probe.
func TestStaplesByTime(t *testing.T) {
	for _, row := range []struct {
		name                                           string
		staple                                         faultlab.Staple
		before, now, whenNextIsDue, whenResponderIsNot result.StapleStatus
	}{
		{"good", faultlab.Staple{NextUpdate: 48 * time.Hour}, result.StapleInvalid, result.StapleGood,
			result.StapleInvalid, result.StapleInvalid},
		{"revoked", faultlab.Staple{Status: ocsp.Revoked, NextUpdate: 48 * time.Hour}, result.StapleInvalid,
			result.StapleRevoked, result.StapleRevoked, result.StapleRevoked},
		{"revoked, by a delegate", faultlab.Staple{Status: ocsp.Revoked, NextUpdate: 48 * time.Hour,
			By: faultlab.DelegateSigns}, result.StapleInvalid, result.StapleRevoked, result.StapleRevoked,
			result.StapleInvalid},
	} {
		der, c, issuer := stapled(t, row.staple)
		store := revocation.NewStaples()
		for range 2 { // read, then kept
			for _, at := range []struct {
				after time.Duration
				want  result.StapleStatus
			}{{-2 * time.Hour, row.before}, {0, row.now}, {72 * time.Hour, row.whenNextIsDue},
				{60 * 24 * time.Hour, row.whenResponderIsNot}} {
				if got := store.Read(der, c, issuer, time.Now().Add(at.after)); got.Status != at.want {
					t.Errorf("%s: %v from now it says %+v, want %s", row.name, at.after, got, at.want)
				}
			}
		}
		_, other, _ := stapled(t, row.staple)
		if got := store.Read(der, other, issuer, time.Now()); got.Status != result.StapleInvalid {
			t.Errorf("%s: of another certificate it says %+v, want invalid", row.name, got)
		}
		if got := store.Read(der, c, c, time.Now()); got.Status != result.StapleInvalid {
			t.Errorf("%s: with another issuer it says %+v, want invalid", row.name, got)
		}
	}
}

// TestStaplesAreBounded: responses that are kept do not grow in number without end.
func TestStaplesAreBounded(t *testing.T) {
	const most = 1024
	der, c, issuer := stapled(t, faultlab.Staple{})
	store := revocation.NewStaples()
	one := 0
	for i := range most + 1 {
		other := *c
		other.Raw = append([]byte{byte(i), byte(i >> 8)}, c.Raw...)
		if got := store.Read(der, &other, issuer, time.Now()); got.Status != result.StapleGood {
			t.Fatalf("the response says %+v, want good", got)
		}
		if i == 0 {
			one = store.Size()
		}
		if i == most-1 && store.Size() != most*one {
			t.Errorf("%d responses take %d bytes, one %d", most, store.Size(), one)
		}
	}
	if store.Size() != one {
		t.Errorf("%d responses take %d bytes, want one alone to be kept, in %d", most+1, store.Size(), one)
	}
	claims.Prove(t, "verified OCSP responses that are kept", most)
}
