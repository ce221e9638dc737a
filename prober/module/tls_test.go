package module_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"errno_exporter/prober/module"
)

// TestResolverTLS: what is allowed or demanded of the target is not of name servers.
func TestResolverTLS(t *testing.T) {
	roots := x509.NewCertPool()
	suites, groups := []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}, []tls.CurveID{tls.CurveP384}
	for _, row := range []struct {
		name   string
		module *tls.Config
		want   *tls.Config
	}{
		{"no keys", &tls.Config{MinVersion: tls.VersionTLS10, RootCAs: roots},
			&tls.Config{MinVersion: tls.VersionTLS10, RootCAs: roots}},
		{"old servers", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, CipherSuites: suites,
			RootCAs: roots}, &tls.Config{RootCAs: roots}},
		{"curves", &tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13, CurvePreferences: groups},
			&tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13}},
	} {
		m := module.Module{TLS: row.module}
		before := row.module.Clone()
		if diff := cmp.Diff(row.want, m.ResolverTLS(), cmpopts.IgnoreUnexported(tls.Config{})); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", row.name, diff)
		}
		if diff := cmp.Diff(before, m.TLS, cmpopts.IgnoreUnexported(tls.Config{})); diff != "" {
			t.Errorf("%s: the module has changed (-before +after):\n%s", row.name, diff)
		}
	}
}
