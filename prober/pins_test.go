package prober_test

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

func TestPinnedKeys(t *testing.T) { probeFaults(t, pinFaults()) }

// pinFaults are of servers with a certificate by an authority between, and of others with another key.
func pinFaults() []fault {
	certificate := faultlab.ChainCertificate(time.Now().Add(24 * time.Hour))
	root, sent := faultlab.Certificates(certificate)
	own, between, authority := module.PinOf(sent[0]), module.PinOf(sent[1]), module.PinOf(root)
	_, common := faultlab.Certificates(faultlab.ServerCertificate())
	other := module.PinOf(common[0])
	serve := func(h faultlab.Host) string {
		h.Helper()
		return faultlab.TLSCertified(h, certificate, faultlab.Healthy)
	}
	redirect := func(h faultlab.Host) string {
		h.Helper()
		to, _ := url.Parse(faultlab.TLSHandler(h, faultlab.Healthy, "http/1.1"))
		to.Host = "localhost:" + to.Port()
		return faultlab.TLSCertified(h, certificate, http.RedirectHandler(to.String(), http.StatusFound))
	}
	http3 := func(h faultlab.Host) string { h.Helper(); return faultlab.HTTP3Handler(h, faultlab.Healthy) }
	client12 := faultlab.ClientCertificateRequired12
	pins := func(pins ...module.Pin) func(*module.Module) {
		return func(m *module.Module) { m.PinnedKeys = pins }
	}
	with := func(change, more func(*module.Module)) func(*module.Module) {
		return func(m *module.Module) { change(m); more(m) }
	}
	insecure := func(m *module.Module) { m.TLS.InsecureSkipVerify = true }
	withCert := func(m *module.Module) { m.TLS.Certificates = []tls.Certificate{faultlab.ClientCertificate()} }
	refused := []outcome{{result.TLS, result.TLSCertPinned, 0, result.Self, ""}}
	return []fault{
		{"another key is pinned", serve, pins(other), 5, refused},
		{"the server's key", serve, pins(own), once, []outcome{success}},
		{"one of two", serve, pins(other, own), once, []outcome{success}},
		{"the key of an authority that is sent", serve, pins(between), once, []outcome{success}},
		{"the key of the root", serve, pins(authority), once, []outcome{success}},
		{"the server's key, not verified", serve, with(pins(own), insecure), once, []outcome{success}},
		{"an authority's key, not verified", serve, with(pins(between), insecure), once, refused},
		{"expired, and another key", faultlab.ExpiredCertificate, pins(other), once,
			[]outcome{{result.TLS, result.TLSCertDateInvalid, 0, result.Self, ""}}},
		{"redirect to another host with another key", redirect, pins(own), once, []outcome{success}},
		{"redirect, and another key is pinned", redirect, pins(other), once, refused},
		{"another key, and a client certificate is wanted", client12, with(pins(own), withCert), 5, refused},
		{"HTTP/3", http3, with(pins(other), overHTTP3), once, []outcome{success}},
		{"HTTP/3, another key is pinned", http3, with(pins(own), overHTTP3), 5, refused},
	}
}

// TestPinsAreNotTheProxys: a proxy over TLS shows another key than the pinned one of the target.
func TestPinsAreNotTheProxys(t *testing.T) {
	certificate := faultlab.ChainCertificate(time.Now().Add(24 * time.Hour))
	_, sent := faultlab.Certificates(certificate)
	_, common := faultlab.Certificates(faultlab.ServerCertificate())
	for _, row := range []struct {
		name string
		pin  module.Pin
		want outcome
	}{
		{"the target's", module.PinOf(sent[0]), success},
		{"the proxy's", module.PinOf(common[0]), outcome{result.TLS, result.TLSCertPinned, 0, result.Self, ""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := labModule()
			m.Proxy = through(faultlab.HTTPSProxy(t).URL)
			m.PinnedKeys = []module.Pin{row.pin}
			r := probe(t, prober.New(prober.Options{}), faultlab.TLSCertified(t, certificate, faultlab.Healthy), m)
			if got := outcomeOf(r.Failure); got != row.want {
				t.Errorf("Probe() = %+v, want %+v%s", got, row.want, evidence(&r))
			}
		})
	}
}

// TestPinErrorNamesTheKey: the text of the failure has the key that a configuration would need, and the record the
// certificates.
func TestPinErrorNamesTheKey(t *testing.T) {
	for _, change := range []func(*module.Module){asIs, overHTTP3} {
		m := labModule()
		change(m)
		m.PinnedKeys = []module.Pin{{}}
		target := faultlab.TLSHandler(t, faultlab.Healthy, "http/1.1")
		if m.EnableHTTP3 {
			target = faultlab.HTTP3Handler(t, faultlab.Healthy)
		}
		r := probe(t, prober.New(prober.Options{}), target, m)
		_, common := faultlab.Certificates(faultlab.ServerCertificate())
		if r.Failure == nil || !strings.Contains(r.Failure.Err.Error(), module.PinOf(common[0]).String()) {
			t.Errorf("Probe(%s): %v, want the server's key %s", target, r.Failure, module.PinOf(common[0]))
		}
		if chain := r.Last().LastHop().TLS.Chain; len(chain) != 1 {
			t.Errorf("Probe(%s): %d certificates, want the server's", target, len(chain))
		}
	}
}
