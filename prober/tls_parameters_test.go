package prober_test

import (
	"crypto/tls"
	"testing"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// TestNegotiatedParameters compares what a hop has of the TLS session with what the server was made to choose.
func TestNegotiatedParameters(t *testing.T) {
	group := func(version uint16, group tls.CurveID) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.TLSGroup(h, version, group) }
	}
	http3 := func(h faultlab.Host) string { h.Helper(); return faultlab.HTTP3Handler(h, faultlab.Healthy) }
	for _, row := range []struct {
		name    string
		serve   func(faultlab.Host) string
		module  func(*module.Module)
		version uint16
		group   tls.CurveID
	}{
		{"hybrid", group(tls.VersionTLS13, tls.X25519MLKEM768), asIs, tls.VersionTLS13, tls.X25519MLKEM768},
		{"X25519", group(tls.VersionTLS13, tls.X25519), asIs, tls.VersionTLS13, tls.X25519},
		{"P-384 after a HelloRetryRequest", group(tls.VersionTLS13, tls.CurveP384), asIs, tls.VersionTLS13,
			tls.CurveP384},
		{"TLS 1.2", group(tls.VersionTLS12, tls.CurveP256), asIs, tls.VersionTLS12, tls.CurveP256},
		{"HTTP/3", http3, overHTTP3, tls.VersionTLS13, tls.X25519MLKEM768},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := labModule()
			row.module(m)
			r := probe(t, prober.New(prober.Options{}), row.serve(t), m)
			if r.Failure != nil {
				t.Fatalf("Probe() = %+v, want success%s", outcomeOf(r.Failure), evidence(&r))
			}
			state := r.Last().LastHop().TLS
			if got := tls.CurveID(state.Group); state.Version != row.version || got != row.group {
				t.Errorf("version %s and group %s, want %s and %s", tls.VersionName(state.Version), got,
					tls.VersionName(row.version), row.group)
			}
		})
	}
}
