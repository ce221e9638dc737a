package prober_test

import (
	"crypto/tls"
	"errors"
	"slices"
	"testing"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
)

// TestExperimentsKeepTLSKeys: the experiments with other ClientHellos offer nothing that the module does not.
func TestExperimentsKeepTLSKeys(t *testing.T) {
	const (
		ecdhe = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
		old   = "TLS_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
	)
	hybrid := func(c *tls.ClientHelloInfo) bool { return slices.Contains(c.SupportedCurves, tls.X25519MLKEM768) }
	always := func(*tls.ClientHelloInfo) bool { return true }
	for _, row := range []struct {
		name    string
		keys    string
		refused func(*tls.ClientHelloInfo) bool
		want    string
	}{
		{"hybrid groups are refused", "{tls_cipher_suites: [" + ecdhe + "], tls_curves: [X25519MLKEM768, P-384]}", hybrid,
			"without_ml_kem+ padded+ other_ciphers without_ml_kem+"},
		{"one suite", "{tls_cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], tls_curves: [X25519MLKEM768, P-384]}",
			hybrid, "without_ml_kem+ padded+ without_ml_kem+"},
		{"hybrid groups alone", "{tls_curves: [X25519MLKEM768]}", always, "plain split"},
		{"no hybrid group", "{tls_curves: [P-384]}", always, "plain split"},
		{"insecure suites", "{tls_legacy: true, tls_cipher_suites: [" + old + "], tls_curves: [X25519MLKEM768, P-384]}",
			hybrid, "without_ml_kem+ padded+ other_ciphers without_ml_kem+"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m, p := tlsModule(t, row.keys), prober.New(prober.Options{})
			type offer struct {
				suites []uint16
				groups []tls.CurveID
			}
			offers := make(chan offer, 20)
			target := faultlab.SeesHello(t, func(c *tls.ClientHelloInfo) error {
				offers <- offer{c.CipherSuites, c.SupportedCurves}
				if row.refused(c) {
					return errors.New("refused")
				}
				return nil
			})
			r := probe(t, p, target, m)
			parsed, err := prober.ParseTarget(target)
			if err != nil {
				t.Fatal(err)
			}
			if got := hellos(p.Diagnose(t.Context(), parsed, &r, m)); got != row.want {
				t.Errorf("experiments %q, want %q%s", got, row.want, evidence(&r))
			}
			first := <-offers
			for len(offers) > 0 { // each was there before its answer
				one := <-offers
				for _, suite := range one.suites {
					if !slices.Contains(first.suites, suite) {
						t.Errorf("an experiment offers %s, which the module does not", tls.CipherSuiteName(suite))
					}
				}
				for _, group := range one.groups {
					if !slices.Contains(first.groups, group) {
						t.Errorf("an experiment offers %s, which the module does not", group)
					}
				}
			}
		})
	}
}
