package prober

import (
	"crypto/tls"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// TestGate: who waits for a turn to compute has that in no phase, and nothing else is taken from a phase for it.
func TestGate(t *testing.T) {
	const serving, waiting = 60 * time.Millisecond, 150 * time.Millisecond
	url := faultlab.SlowHandshake(t, serving)
	p := New(Options{UserAgent: "test"})
	target, err := ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	m := module.New("gate")
	m.TLS = &tls.Config{RootCAs: faultlab.Roots()}
	for range cap(p.computing) {
		p.computing <- struct{}{}
	}
	time.AfterFunc(waiting, func() {
		for range cap(p.computing) {
			<-p.computing
		}
	})
	began := time.Now()
	r := p.Probe(t.Context(), target, m)
	took := time.Since(began)
	if r.Failure != nil {
		t.Fatal(r.Failure.Err)
	}
	hop := r.Last().LastHop()
	handshake, _ := hop.Span(result.TLS)
	if handshake.Duration < serving || handshake.Duration > took-hop.Waited {
		t.Errorf("the handshake took %s, want the server's %s and no more than %s less the wait of %s",
			handshake.Duration, serving, took, hop.Waited)
	}
	if hop.Waited == 0 || hop.Waited > took-serving || r.Waited() != hop.Waited {
		t.Errorf("waited %s for a turn, want some of %s", hop.Waited, waiting)
	}
}

// TestGateAfterPanic: a handshake that a bug ends gives its turn back.
func TestGateAfterPanic(t *testing.T) {
	p := New(Options{UserAgent: "test"})
	target, err := ParseTarget(faultlab.ClientCertificateRequired13(t))
	if err != nil {
		t.Fatal(err)
	}
	m := module.New("panics")
	m.TLS = &tls.Config{RootCAs: faultlab.Roots(),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { panic("a bug") }}
	r := p.Probe(t.Context(), target, m)
	if r.Panicked() == nil || len(p.computing) != 0 {
		t.Errorf("panicked: %v, with %d turns not given back, want a panic and none", r.Panicked(), len(p.computing))
	}
}
