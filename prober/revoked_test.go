package prober_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

var revoked = outcome{result.TLS, result.TLSCertRevoked, 0, result.Self, ""}

func checkRevoked(m *module.Module) { m.CheckRevoked = true }

func TestRevokedCertificate(t *testing.T) { probeFaults(t, revokedFaults()) }

func revokedFaults() []fault {
	insecure := func(m *module.Module) { checkRevoked(m); m.TLS.InsecureSkipVerify = true }
	return []fault{
		{"revoked", faultlab.CertificateRevoked, checkRevoked, 5, []outcome{revoked}},
		{"revoked, not checked", faultlab.CertificateRevoked, asIs, once, []outcome{success}},
		{"revoked, not verified", faultlab.CertificateRevoked, insecure, once, []outcome{success}},
	}
}

// listed is what the list says of the server's certificate.
type listed struct {
	available, revoked, stale bool
	problem                   string // a part of it
}

// TestRevocationLists: which lists count, and what is reported of them. What is not known fails no probe.
func TestRevocationLists(t *testing.T) {
	list := func(l faultlab.RevocationList) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.Revoked(h, l) }
	}
	answer := func(status int, body string) func(faultlab.Host) string {
		return func(h faultlab.Host) string {
			h.Helper()
			return faultlab.Revocable(h, func(*big.Int, string) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(status)
					_, _ = w.Write([]byte(body))
				})
			})
		}
	}
	named := func(addresses ...string) func(faultlab.Host) string {
		return func(h faultlab.Host) string {
			h.Helper()
			return faultlab.TLSCertified(h, faultlab.ListedCertificate(addresses...), faultlab.Healthy)
		}
	}
	scope := func(address string, tag int) func(string) []pkix.Extension {
		return func(own string) []pkix.Extension {
			if address == "" && tag == 0 {
				address = own
			}
			return faultlab.IssuingDistributionPoint(address, tag)
		}
	}
	delta := func(string) []pkix.Extension {
		return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}}
	}
	unknown := func(problem string) listed { return listed{problem: problem} }
	for _, row := range []struct {
		name  string
		serve func(faultlab.Host) string
		want  outcome
		of    listed
	}{
		{"in the list", list(faultlab.RevocationList{}), revoked, listed{true, true, false, ""}},
		{"not in the list", list(faultlab.RevocationList{Without: true}), success, listed{true, false, false, ""}},
		{"PEM", faultlab.RevokedPEM, revoked, listed{true, true, false, ""}},
		{"stale, in the list", list(faultlab.RevocationList{NextUpdate: -time.Minute}), revoked,
			listed{true, true, true, ""}},
		{"stale, not in the list", list(faultlab.RevocationList{NextUpdate: -time.Minute, Without: true}), success,
			listed{true, false, true, ""}},
		{"not valid yet", list(faultlab.RevocationList{ThisUpdate: time.Hour, NextUpdate: 2 * time.Hour}), success,
			unknown("not valid before")},
		{"signed by a stranger", list(faultlab.RevocationList{Stranger: true}), success, unknown("not signed by")},
		{"of its own distribution point", list(faultlab.RevocationList{Extensions: scope("", 0)}), revoked,
			listed{true, true, false, ""}},
		{"of another distribution point",
			list(faultlab.RevocationList{Extensions: scope("http://other.example/ca.crl", 0)}), success,
			unknown("another distribution point")},
		{"of users alone", list(faultlab.RevocationList{Extensions: scope("", 1)}), revoked,
			listed{true, true, false, ""}},
		{"of authorities alone", list(faultlab.RevocationList{Extensions: scope("", 2)}), success,
			unknown("other kinds of certificates")},
		{"indirect", list(faultlab.RevocationList{Extensions: scope("", 4)}), success, unknown("indirect")},
		{"of changes alone", list(faultlab.RevocationList{Extensions: delta}), success, unknown("2.5.29.27")},
		{"404", answer(404, ""), success, unknown("404")},
		{"no list", answer(200, "<html>"), success, unknown("no revocation list")},
		{"empty", answer(200, ""), success, unknown("no revocation list")},
		{"too large", answer(200, strings.Repeat("x", 10<<20+1)), success, unknown("larger than body_size_limit")},
		{"no address", named(), success, unknown("names no list")},
		{"LDAP", named("ldap://127.0.0.1/cn=ca"), success, unknown("no http:// URL")},
		{"HTTPS", named("https://127.0.0.1:1/ca.crl"), success, unknown("no http:// URL")},
		{"nothing listens", named("http://127.0.0.1:1/ca.crl"), success, unknown("refused")},
		{"a denied address", named("http://169.254.169.254/latest/meta-data"), success, unknown("denied")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := labModule()
			checkRevoked(m)
			target, err := prober.ParseTarget(row.serve(t))
			if err != nil {
				t.Fatal(err)
			}
			target.Policy, target.Configured = new(module.Networks), true
			*target.Policy = module.DefaultNetworks()
			r := prober.New(prober.Options{}).Probe(t.Context(), target, m)
			if got := outcomeOf(r.Failure); got != row.want {
				t.Fatalf("Probe() = %+v, want %+v%s", got, row.want, evidence(&r))
			}
			all := r.Last().LastHop().TLS.Revocations
			if len(all) != 2 {
				t.Fatalf("%d certificates, want the server's and the authority's", len(all))
			}
			got := listed{all[0].Available, all[0].Revoked, all[0].Stale, all[0].Problem}
			if strings.Contains(got.problem, row.of.problem) == (row.of.problem != "") {
				got.problem = row.of.problem
			}
			if got != row.of {
				t.Errorf("the list says %+v, want %+v", got, row.of)
			}
		})
	}
	claims.Prove(t, "list of revoked certificates", 10<<20)
}

// TestRevokedServerIsSentNothing: the request does not leave.
func TestRevokedServerIsSentNothing(t *testing.T) {
	for _, change := range []func(*module.Module){asIs, overHTTP3} {
		var requests atomic.Int64
		m := labModule()
		change(m)
		checkRevoked(m)
		counted := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) })
		target := faultlab.RevokedWith(t, m.TLS.NextProtos[0], counted)
		r := probe(t, prober.New(prober.Options{}), target, m)
		if got := outcomeOf(r.Failure); got != revoked || requests.Load() != 0 {
			t.Errorf("Probe(%s) = %+v after %d requests, want %+v after none%s", target, got, requests.Load(), revoked,
				evidence(&r))
		}
		text := "none"
		if r.Failure != nil {
			text = r.Failure.Err.Error()
		}
		if !strings.Contains(text, "revoked since") || !strings.Contains(text, "key compromise") {
			t.Errorf("the error is %q, want since when and why", text)
		}
	}
}

// TestListsAreKept: a list is fetched once for all probes, without the module's credentials, and so is one that cannot
// be had; several probes at once wait for one fetch.
func TestListsAreKept(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
	}{{"a list", 200}, {"no list", 500}} {
		var fetches atomic.Int64
		var sent atomic.Pointer[http.Header]
		target := faultlab.Revocable(t, func(serial *big.Int, address string) http.Handler {
			der := (&faultlab.RevocationList{Without: true}).DER(serial, address)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fetches.Add(1)
				sent.Store(&r.Header)
				w.WriteHeader(row.status)
				_, _ = w.Write(der)
			})
		})
		m, p := labModule(), prober.New(prober.Options{})
		checkRevoked(m)
		m.Header = http.Header{"X-Secret": {"hunter2"}}
		done := make(chan result.Result)
		for range 8 {
			go func() { done <- probe(t, p, target, m) }()
		}
		for range 8 {
			if r := <-done; r.Failure != nil {
				t.Errorf("%s: Probe() = %+v, want success%s", row.name, outcomeOf(r.Failure), evidence(&r))
			}
		}
		if n := fetches.Load(); n != 1 || sent.Load().Get("X-Secret") != "" {
			t.Errorf("%s: %d fetches with the headers %v, want one without the module's", row.name, n, *sent.Load())
		}
	}
}

// TestSilentListServer: a list that does not come takes half of the probe's time, and the probe succeeds in the rest.
func TestSilentListServer(t *testing.T) {
	t.Parallel()
	target := faultlab.TLSCertified(t, faultlab.ListedCertificate(faultlab.Silent(t)+"ca.crl"), faultlab.Healthy)
	m := labModule()
	checkRevoked(m)
	m.Timeout = 6 * time.Second
	r := probe(t, prober.New(prober.Options{}), target, m)
	state := r.Last().LastHop().TLS
	if r.Failure != nil || state.ListsTook < time.Second {
		t.Errorf("Probe() = %+v after %v for the list, want success after about 3s%s", outcomeOf(r.Failure), state.ListsTook,
			evidence(&r))
	}
	if span, ok := r.Last().LastHop().Span(result.TLS); !ok || span.Duration >= state.ListsTook {
		t.Errorf("the phase tls takes %v, want it without the %v for the list", span.Duration, state.ListsTook)
	}
}
