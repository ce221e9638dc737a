package prober_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

var stapledRevoked = outcome{result.TLS, result.TLSCertStapledRevoked, 0, result.Self, ""}

func TestStapledRevoked(t *testing.T) { probeFaults(t, stapleFaults()) }

func stapleFaults() []fault {
	insecure := func(m *module.Module) { checkRevoked(m); m.TLS.InsecureSkipVerify = true }
	return []fault{
		{"stapled revoked", faultlab.StapledRevoked, checkRevoked, 5, []outcome{stapledRevoked}},
		{"stapled revoked, not checked", faultlab.StapledRevoked, asIs, once, []outcome{success}},
		{"stapled revoked, not verified", faultlab.StapledRevoked, insecure, once, []outcome{success}},
	}
}

// TestStaples: which OCSP responses count, and what is reported of them. One that cannot be used fails no probe.
func TestStaples(t *testing.T) {
	type said struct {
		status  result.StapleStatus
		reason  string
		problem string // a part of it
	}
	invalid := func(problem string) said { return said{result.StapleInvalid, "", problem} }
	isRevoked := said{result.StapleRevoked, "key compromise", ""}
	by := func(r faultlab.Responder) faultlab.Staple { return faultlab.Staple{Status: ocsp.Revoked, By: r} }
	for _, row := range []struct {
		name   string
		staple faultlab.Staple
		want   outcome
		of     said
	}{
		{"good", faultlab.Staple{}, success, said{result.StapleGood, "", ""}},
		{"revoked", by(faultlab.IssuerSigns), stapledRevoked, isRevoked},
		{"unknown", faultlab.Staple{Status: ocsp.Unknown}, success, said{result.StapleUnknown, "", ""}},
		{"good, by a delegate", faultlab.Staple{By: faultlab.DelegateSigns}, success, said{result.StapleGood, "", ""}},
		{"by a delegate", by(faultlab.DelegateSigns), stapledRevoked, isRevoked},
		{"with the issuer's certificate", by(faultlab.IssuerSignsWithIt), stapledRevoked, isRevoked},
		{"by another key", by(faultlab.StrangerSigns), success, invalid("not signed by the certificate's issuer")},
		{"by a server's certificate", by(faultlab.WrongUsageSigns), success, invalid("not for signing")},
		{"by a delegate that has expired", by(faultlab.ExpiredSigns), success, invalid("not valid now")},
		{"by a delegate of another issuer", by(faultlab.UnknownSigns), success, invalid("another issuer")},
		{"by a delegate of another key", by(faultlab.SameNameSigns), success, invalid("not certified by")},
		{"of another certificate", faultlab.Staple{Status: ocsp.Revoked, Another: true}, success,
			invalid("no response matching")},
		{"good, not replaced", faultlab.Staple{ThisUpdate: -2 * time.Hour, NextUpdate: -time.Hour}, success,
			invalid("should have been replaced")},
		{"revoked, not replaced", faultlab.Staple{Status: ocsp.Revoked, ThisUpdate: -2 * time.Hour,
			NextUpdate: -time.Hour}, stapledRevoked, isRevoked},
		{"not valid yet", faultlab.Staple{Status: ocsp.Revoked, ThisUpdate: time.Hour, NextUpdate: 2 * time.Hour},
			success, invalid("not valid yet")},
		{"no response", faultlab.Staple{Text: "hunter2"}, success, invalid("asn1")},
		{"a refusal", faultlab.Staple{Text: string(ocsp.TryLaterErrorResponse)}, success, invalid("try later")},
		{"too large", faultlab.Staple{Text: strings.Repeat("x", 8<<10+1)}, success, invalid("more than 8 KiB")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := labModule()
			checkRevoked(m)
			target := faultlab.Stapled(t, "http/1.1", row.staple, faultlab.Healthy)
			r := probe(t, prober.New(prober.Options{}), target, m)
			if got := outcomeOf(r.Failure); got != row.want {
				t.Fatalf("Probe() = %+v, want %+v%s", got, row.want, evidence(&r))
			}
			s := r.Last().LastHop().TLS.Staple
			if s == nil {
				t.Fatal("there is no stapled response in the record")
			}
			got := said{s.Status, s.Reason, s.Problem}
			if strings.Contains(got.problem, row.of.problem) == (row.of.problem != "") {
				got.problem = row.of.problem
			}
			if got != row.of {
				t.Errorf("the response says %+v, want %+v", got, row.of)
			}
			if at := s.RevokedAt; (s.Status == result.StapleRevoked) != at.Equal(faultlab.StapledAt()) {
				t.Errorf("revoked at %v, want %v if it is", at, faultlab.StapledAt())
			}
		})
	}
	claims.Prove(t, "stapled OCSP response", 8<<10)
}

// TestStaplesThatAreNone: without a response, or without a verified issuer, nothing is reported.
func TestStaplesThatAreNone(t *testing.T) {
	for _, row := range []struct {
		name   string
		serve  func(faultlab.Host) string
		module func(*module.Module)
	}{
		{"no response", func(h faultlab.Host) string {
			h.Helper()
			return faultlab.TLSHandler(h, faultlab.Healthy, "http/1.1")
		}, checkRevoked},
		{"not verified", faultlab.StapledRevoked, func(m *module.Module) { m.TLS.InsecureSkipVerify = true }},
	} {
		m := labModule()
		row.module(m)
		r := probe(t, prober.New(prober.Options{}), row.serve(t), m)
		if s := r.Last().LastHop().TLS.Staple; r.Failure != nil || s != nil {
			t.Errorf("%s: Probe() = %+v with the response %+v, want success without one", row.name, outcomeOf(r.Failure), s)
		}
	}
}

// TestStapledRevokedServerIsSentNothing: the request does not leave.
func TestStapledRevokedServerIsSentNothing(t *testing.T) {
	for _, change := range []func(*module.Module){asIs, overHTTP3} {
		var requests atomic.Int64
		m := labModule()
		change(m)
		checkRevoked(m)
		counted := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) })
		target := faultlab.Stapled(t, m.TLS.NextProtos[0], faultlab.Staple{Status: ocsp.Revoked}, counted)
		r := probe(t, prober.New(prober.Options{}), target, m)
		if got := outcomeOf(r.Failure); got != stapledRevoked || requests.Load() != 0 {
			t.Fatalf("Probe(%s) = %+v after %d requests, want %+v after none%s", target, got, requests.Load(),
				stapledRevoked, evidence(&r))
		}
		const want = "revoked since 2026-01-02T03:04:05Z (key compromise), by the OCSP response that the server sent"
		if text := r.Failure.Err.Error(); !strings.Contains(text, want) {
			t.Errorf("the error is %q, want %q in it", text, want)
		}
	}
}
