package prober

import (
	"crypto/tls"
	"crypto/x509"
	"reflect"
	"runtime"
	"testing"
	"time"
	"weak"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/result"
)

// TestVerify: after a chain was verified, what is verified next has the result that it would have first.
func TestVerify(t *testing.T) {
	now := time.Now()
	until := now.Add(time.Hour)
	parse := func(c tls.Certificate) []*x509.Certificate {
		var all []*x509.Certificate
		for _, der := range c.Certificate {
			parsed, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, parsed)
		}
		return all
	}
	good, other := parse(faultlab.ChainCertificate(until)), parse(faultlab.ChainCertificate(until))
	roots := faultlab.Roots()
	for _, row := range []struct {
		name  string
		sent  []*x509.Certificate
		roots *x509.CertPool
		host  string
		at    time.Time
		err   error // its type
		kept  bool  // what is returned was kept
	}{
		{"again", good, roots, "lab.test", now, nil, true},
		{"another of its names", good, roots, "www.lab.test", now, nil, true},
		{"its address", good, roots, "127.0.0.1", now, nil, true},
		{"the same bytes, parsed again", parse(tls.Certificate{Certificate: [][]byte{good[0].Raw, good[1].Raw}}), roots,
			"lab.test", now, nil, true},
		{"a name that is not its own", good, roots, "other.example", now, x509.HostnameError{}, false},
		{"when it has expired", good, roots, "lab.test", until.Add(time.Second), x509.CertificateInvalidError{}, false},
		{"before it is valid", good, roots, "lab.test", now.Add(-48 * time.Hour), x509.CertificateInvalidError{},
			false},
		{"when the authority between has expired, too", good, roots, "lab.test", until.Add(25 * time.Hour),
			x509.CertificateInvalidError{}, false},
		{"other roots with the same root", good, faultlab.Roots(), "lab.test", now, nil, false},
		{"no roots", good, x509.NewCertPool(), "lab.test", now, x509.UnknownAuthorityError{}, false},
		{"the system's roots", good, nil, "lab.test", now, x509.UnknownAuthorityError{}, false},
		{"without the authority between", good[:1], roots, "lab.test", now, x509.UnknownAuthorityError{}, false},
		{"with another authority between", []*x509.Certificate{good[0], other[1]}, roots, "lab.test", now,
			x509.UnknownAuthorityError{}, false},
		{"another certificate", other, roots, "lab.test", now, nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := newVerified()
			first, err := v.verify(good, roots, "lab.test", now)
			if err != nil {
				t.Fatal(err)
			}
			found, err := v.verify(row.sent, row.roots, row.host, row.at)
			if reflect.TypeOf(err) != reflect.TypeOf(row.err) {
				t.Errorf("error %T %v, want a %T", err, err, row.err)
			}
			if kept := len(found) > 0 && &found[0] == &first[0]; kept != row.kept {
				t.Errorf("kept: %t, want %t", kept, row.kept)
			}
			if fresh, again := newVerified().verify(row.sent, row.roots, row.host, row.at); len(fresh) != len(found) ||
				reflect.TypeOf(again) != reflect.TypeOf(err) {
				t.Errorf("%d chains and %v, want what a first verification says: %d and %v", len(found), err,
					len(fresh), again)
			}
		})
	}
}

// TestVerifyBound: what is kept is bounded, and the oldest goes first.
func TestVerifyBound(t *testing.T) {
	v := newVerified()
	certificate, err := x509.ParseCertificate(faultlab.ServerCertificate().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	sent := []*x509.Certificate{certificate}
	first := x509.NewCertPool()
	v.store(sent, first, chains{sent})
	for range maxVerified {
		if v.find(sent, first) == nil {
			t.Fatal("the first one is gone before its time")
		}
		v.store(sent, x509.NewCertPool(), chains{sent})
	}
	if n := len(v.known); n != maxVerified || v.find(sent, first) != nil {
		t.Errorf("%d are kept, the first one among them: %t, want %d without it", n, v.find(sent, first) != nil,
			maxVerified)
	}
}

// A pool that a reload has replaced is let go of, and a chain that costs much is not kept.
func TestVerifyLetsGo(t *testing.T) {
	v := newVerified()
	certificate, err := x509.ParseCertificate(faultlab.ServerCertificate().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	sent := []*x509.Certificate{certificate}
	pools := make([]weak.Pointer[x509.CertPool], 100)
	for i := range pools {
		roots := faultlab.Roots()
		if _, err := v.verify(sent, roots, "lab.test", time.Now()); err != nil {
			t.Fatal(err)
		}
		pools[i] = weak.Make(roots)
	}
	runtime.GC()
	for i, pool := range pools {
		if pool.Value() != nil {
			t.Fatalf("pool %d of %d is still in memory, and %d chains are kept", i, len(pools), len(v.known))
		}
	}
	roots := x509.NewCertPool()
	before := v.bytes
	v.store([]*x509.Certificate{{Raw: make([]byte, result.MaxChain)}}, roots, chains{sent})
	if v.bytes != before {
		t.Errorf("a chain that costs more than %d bytes is kept", result.MaxChain)
	}
	for i := range 1000 {
		v.store([]*x509.Certificate{{Raw: append(make([]byte, result.MaxChain/3), byte(i), byte(i>>8))}}, roots,
			chains{sent})
	}
	if v.bytes > maxVerifiedBytes || len(v.known) != len(v.order) || len(v.known) < 100 {
		t.Errorf("%d chains of %d bytes are kept, want at most %d bytes, and some", len(v.known), v.bytes,
			maxVerifiedBytes)
	}
	claims.Prove(t, "chains of certificates that were verified", maxVerified, maxVerifiedBytes, result.MaxChain)
}
