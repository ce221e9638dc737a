package prober_test

import (
	"crypto/tls"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// tlsModule is a module that is loaded with some keys and trusts the lab.
func tlsModule(t *testing.T, keys string) *module.Module {
	t.Helper()
	lab := labModule()
	c, err := config.Parse([]byte("modules: {m: {prober: http, http: "+keys+"}}"), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	m := c.Modules["m"]
	m.PreferIPv6, m.Timeout, m.TLS.RootCAs = false, lab.Timeout, lab.TLS.RootCAs
	return m
}

// chosen is what a handshake chose.
type chosen struct {
	version, suite uint16
	group          tls.CurveID
}

func (c chosen) String() string {
	return fmt.Sprintf("%s, %s, %s", tls.VersionName(c.version), tls.CipherSuiteName(c.suite), c.group)
}

const (
	rsaExchange = "{tls_legacy: true, tls_cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}"
	anyOld      = "{tls_legacy: true}"
)

// TestTLSKeys: servers that are refused without a key, and reached with it.
func TestTLSKeys(t *testing.T) {
	suite := func(suite uint16) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.TLSSuite(h, suite) }
	}
	version := func(version uint16) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.TLSVersion(h, version) }
	}
	group := func(version uint16, group tls.CurveID) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return faultlab.TLSGroup(h, version, group) }
	}
	http3 := func(h faultlab.Host) string { h.Helper(); return faultlab.HTTP3Group(h, tls.CurveP384) }
	const (
		rsaCBC    = tls.TLS_RSA_WITH_AES_128_CBC_SHA
		oldECDSA  = tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
		ecdheGCM  = tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
		ecdheGCM2 = tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
		tls13     = tls.TLS_AES_128_GCM_SHA256
	)
	mismatch := outcome{result.TLS, result.TLSVersionOrCipherMismatch, 0, result.Peer, ""}
	for _, row := range []struct {
		name  string
		serve func(faultlab.Host) string
		keys  string
		want  outcome
		chose chosen
	}{
		{"RSA key exchange", suite(rsaCBC), "{}", mismatch, chosen{}},
		{"RSA key exchange, allowed", suite(rsaCBC), anyOld, success, chosen{tls.VersionTLS12, rsaCBC, 0}},
		{"RSA key exchange, named", suite(rsaCBC), rsaExchange, success, chosen{tls.VersionTLS12, rsaCBC, 0}},
		{"3DES", suite(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), "{}", mismatch, chosen{}},
		{"3DES, another is named", suite(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), rsaExchange, mismatch, chosen{}},
		{"3DES, allowed", suite(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), anyOld, success,
			chosen{tls.VersionTLS12, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, 0}},
		{"TLS 1.0", version(tls.VersionTLS10), "{}", mismatch, chosen{}},
		{"TLS 1.0, allowed", version(tls.VersionTLS10), anyOld, success,
			chosen{tls.VersionTLS10, oldECDSA, tls.X25519}},
		{"TLS 1.0, the version alone", version(tls.VersionTLS10), "{tls_config: {min_version: TLS10}}", success,
			chosen{tls.VersionTLS10, oldECDSA, tls.X25519}},
		{"TLS 1.0, TLS 1.1 is the oldest", version(tls.VersionTLS10),
			"{tls_legacy: true, tls_config: {min_version: TLS11}}", mismatch, chosen{}},
		{"TLS 1.1, allowed", version(tls.VersionTLS11), anyOld, success,
			chosen{tls.VersionTLS11, oldECDSA, tls.X25519}},
		{"TLS 1.3, older ones allowed", version(tls.VersionTLS13), anyOld, success,
			chosen{tls.VersionTLS13, tls13, tls.X25519MLKEM768}},
		{"a suite", suite(ecdheGCM), "{tls_cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}", success,
			chosen{tls.VersionTLS12, ecdheGCM, tls.X25519}},
		{"another suite", suite(ecdheGCM2), "{tls_cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}", mismatch,
			chosen{}},
		{"P-384 after a HelloRetryRequest", group(tls.VersionTLS13, tls.CurveP384), "{}", success,
			chosen{tls.VersionTLS13, tls13, tls.CurveP384}},
		{"P-384, named", group(tls.VersionTLS13, tls.CurveP384), "{tls_curves: [P-384]}", success,
			chosen{tls.VersionTLS13, tls13, tls.CurveP384}},
		{"P-384, the second that is named", group(tls.VersionTLS13, tls.CurveP384), "{tls_curves: [X25519, P-384]}",
			success, chosen{tls.VersionTLS13, tls13, tls.CurveP384}},
		{"P-384, others are named", group(tls.VersionTLS13, tls.CurveP384), "{tls_curves: [X25519MLKEM768, X25519]}",
			mismatch, chosen{}},
		{"P-384 with TLS 1.2, named", group(tls.VersionTLS12, tls.CurveP384), "{tls_curves: [CurveP384]}", success,
			chosen{tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.CurveP384}},
		{"HTTP/3, named", http3, "{enable_http3: true, enable_http2: false, tls_curves: [P-384]}", success,
			chosen{tls.VersionTLS13, tls13, tls.CurveP384}},
		{"HTTP/3, another is named", http3, "{enable_http3: true, enable_http2: false, tls_curves: [X25519]}", mismatch,
			chosen{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := probe(t, prober.New(prober.Options{}), row.serve(t), tlsModule(t, row.keys))
			if got := outcomeOf(r.Failure); got != row.want {
				t.Fatalf("Probe() = %+v, want %+v%s", got, row.want, evidence(&r))
			}
			var got chosen
			if state := r.Last().LastHop().TLS; state != nil && state.Complete {
				got = chosen{state.Version, state.CipherSuite, tls.CurveID(state.Group)}
			}
			// AES or ChaCha20 is the choice of the CPU's abilities
			if got.version == tls.VersionTLS13 {
				got.suite = row.chose.suite
			}
			if got != row.chose {
				t.Errorf("the handshake chose %v, want %v", got, row.chose)
			}
		})
	}
}

// TestTLSKeysAreOneModules: the ClientHello of a module is the same whether or not another one has keys of TLS.
func TestTLSKeysAreOneModules(t *testing.T) {
	type offer struct {
		Suites   []uint16
		Groups   []tls.CurveID
		Versions []uint16
	}
	seen := make(chan offer, 1)
	target := faultlab.SeesHello(t, func(c *tls.ClientHelloInfo) error {
		seen <- offer{c.CipherSuites, c.SupportedCurves, c.SupportedVersions}
		return nil
	})
	offered := func(keys string) offer {
		if r := probe(t, prober.New(prober.Options{}), target, tlsModule(t, keys)); r.Failure != nil {
			t.Fatalf("%s: Probe() = %+v, want success%s", keys, outcomeOf(r.Failure), evidence(&r))
		}
		return <-seen
	}
	before := offered("{}")
	legacy := offered("{tls_legacy: true, tls_curves: [P-256]}")
	if diff := cmp.Diff(before, offered("{}")); diff != "" {
		t.Errorf("the module without keys offers something else (-before +after):\n%s", diff)
	}
	want := offer{legacy.Suites, []tls.CurveID{tls.CurveP256},
		[]uint16{tls.VersionTLS13, tls.VersionTLS12, tls.VersionTLS11, tls.VersionTLS10}}
	if diff := cmp.Diff(want, legacy); diff != "" || len(legacy.Suites) <= len(before.Suites) {
		t.Errorf("tls_legacy offers %d suites, without it %d; (-want +got):\n%s", len(legacy.Suites), len(before.Suites),
			diff)
	}
}
