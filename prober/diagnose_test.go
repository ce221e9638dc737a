package prober_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// A failure calls for the experiments that could tell what it is, each changes its one thing, and a target that asks to
// slow down is left alone. After a change that works the original is repeated, twice; an original that works ends it.
func TestDiagnose(t *testing.T) {
	port := faultlab.OneBadAddress(t)
	resolver := faultlab.DNS(t, map[string][]netip.Addr{
		"two.lab.test": {netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")},
		"six.lab.test": {netip.MustParseAddr("127.0.0.2"), netip.IPv6Loopback()},
	})
	odd := func(m *module.Module) { m.Header = http.Header{"X-Odd": {"1"}} }
	refuses := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Odd") != "" {
			faultlab.Resetting.ServeHTTP(w, r)
		}
	}))
	tooLong := faultlab.RefusesHello(t, faultlab.Hello{Refused: faultlab.HelloLength, Failure: faultlab.HelloReset})
	for _, row := range []struct {
		name, url string
		module    func(*module.Module)
		want      string // kinds, those that succeeded with a +
	}{
		{"a success", faultlab.Handler(t, faultlab.Healthy), asIs, ""},
		{"429", faultlab.Status(t, 429), asIs, ""},
		{"HTTP/2 asks to slow down", faultlab.H2EnhanceYourCalm(t), asIs, ""},
		{"a reset", faultlab.ResetAfterRequest(t), asIs, "again tcp_only+"},
		{"a reset under TLS", faultlab.TLSResetAfterRequest(t), asIs, "again tls_only+"},
		{"a reset in the handshake", faultlab.TLSResetAfterHello(t), asIs,
			"again hello_without_ml_kem hello_plain hello_split tcp_only+"},
		{"a hello that is too long, to an address", "https://127.0.0.1:" + tooLong + "/", asIs,
			"again hello_without_ml_kem+ again hello_padded hello_small_split+ hello_without_ml_kem+ again"},
		{"TLS 1.2 at most: nothing to leave out but ALPN", faultlab.TLSResetAfterHello(t),
			func(m *module.Module) { m.TLS.MaxVersion = tls.VersionTLS12 },
			"again hello_plain hello_split tcp_only+"},
		{"a POST: a handshake that works would be followed by it", faultlab.TLSResetAfterHello(t),
			func(m *module.Module) { m.Method = http.MethodPost }, "tcp_only+"},
		{"a reset over HTTP/2, by a server that speaks nothing else", faultlab.H2ResetAfterRequest(t), briefly,
			"again http1 tls_only+"},
		{"a request that is refused", refuses, odd, "again plain_request+ again plain_request+ again tcp_only+"},
		{"a PUT that is refused: a plain GET would prove nothing", refuses,
			func(m *module.Module) { odd(m); m.Method = http.MethodPut }, "again tcp_only+"},
		{"one failure, and then it works", failing(t, 1), odd, "again+"},
		{"it recovers while it is looked into", failing(t, 2), odd, "again plain_request+ again+"},
		{"it recovers after a round", failing(t, 2, 1), odd, "again plain_request+ again plain_request+ again+"},
		{"a method that may not be repeated", refuses, func(m *module.Module) { odd(m); m.Method = http.MethodPost },
			"tcp_only+"},
		{"an answer that takes too long", faultlab.Slow(t, 500*time.Millisecond, 0, func(faultlab.Times) {}),
			func(m *module.Module) { m.Timeout = 300 * time.Millisecond },
			"again small_segments small_segments more_time+ again tcp_only+"},
		{"one of two addresses", "http://two.lab.test:" + port + "/", asIs,
			"again other_address+ again other_address+ again tcp_only+"},
		{"the other family, which does not listen", "http://six.lab.test:" + port + "/", asIs,
			"again other_family tcp_only+"},
		{"nothing listens", "http://127.0.0.1:1/", asIs, "again closed_port"},
		{"nothing listens, and no closed port may be tried", "http://127.0.0.1:1/",
			func(m *module.Module) { m.Diagnose.ClosedPort = false }, "again"},
		{"a name that does not exist", "http://nosuch.lab.test/", asIs, "again"},
		{"an expired certificate", faultlab.ExpiredCertificate(t), asIs, "again tcp_only+"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := labModule()
			row.module(m)
			p := prober.New(prober.Options{Resolver: resolver})
			r := probe(t, p, row.url, m)
			target, err := prober.ParseTarget(row.url)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), ample)
			defer cancel()
			var got []string
			for _, c := range p.Diagnose(ctx, target, &r, m) {
				word := string(c.Kind)
				if c.Failure == nil {
					word += "+"
				}
				got = append(got, word)
			}
			if diff := cmp.Diff(row.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("after %+v (-want +got):\n%s", r.Failure, diff)
			}
		})
	}
}

// failing is a server that resets so many requests, serves one, resets so many again, and so on, and then serves all.
func failing(t *testing.T, runs ...int) string {
	var resets []bool
	for i, n := range runs {
		if i > 0 {
			resets = append(resets, false)
		}
		resets = append(resets, slices.Repeat([]bool{true}, n)...)
	}
	var seen atomic.Int64
	return faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := int(seen.Add(1)); n <= len(resets) && resets[n-1] {
			faultlab.Resetting.ServeHTTP(w, r)
		}
	}))
}
