package prober

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/result"
)

// What a server or a device on the path refuses in our ClientHello: handshakes with one property changed each, until it
// is known which property matters.
//
//   - A decision tree chooses the next change by what the ones before it did: at most five decide.
//   - A change that works is shown as A-B-A in two rounds: the original fails again after it, both times.
//   - The certificate is verified as the module says, for the target's own name, whatever name was sent.

const (
	helloPause    = 50 * time.Millisecond // between the two segments of a hello
	helloPatience = 5 * time.Second       // a refusal may be silence
	reservedName  = "www.example.com"     // RFC 2606: nobody has a reason to refuse it by name
)

// branch is a step of the decision tree; nil where nothing is left to find out.
type branch struct {
	kind    result.ExperimentKind
	ifWorks *branch
	ifFails *branch
}

// helloTree is the decision tree. Its longest path has five steps.
//
// Without ML-KEM a hello is shorter, and fits into one segment. If that works, a long one without ML-KEM tells length
// from key share, and a short one in two segments tells length from the number of segments. Another list of cipher
// suites tells a property from the fingerprint of the whole (JA3: version, suites, extensions, groups). The version and
// ALPN are changed at once, and told apart only where that works.
var helloTree = &branch{result.HelloWithoutMLKEM,
	&branch{result.HelloPadded,
		&branch{kind: result.HelloOtherCiphers},
		&branch{kind: result.HelloSmallSplit}},
	&branch{result.HelloOtherName,
		&branch{kind: result.HelloSplit},
		&branch{result.HelloPlain,
			&branch{result.HelloTLS12,
				&branch{kind: result.HelloOtherCiphers},
				&branch{kind: result.HelloNoALPN}},
			&branch{result.HelloNoName, nil,
				&branch{kind: result.HelloSplit}}}}}

// helloRefused reports whether a failure may be a ClientHello's refusal: the handshake ended before the server showed a
// certificate, by a reset, a FIN, silence or an alert.
func helloRefused(f *result.Failure, a *result.Attempt) bool {
	hop := a.LastHop()
	if f.Phase != result.TLS || len(a.Hops) != 1 || hop.TLS == nil || len(hop.TLS.Chain) > 0 {
		return false
	}
	switch f.Reason {
	case result.TCPReset, result.TCPClosed, result.TCPAborted, result.TLSTimedOut, result.TLSVersionOrCipherMismatch,
		result.TLSALPNMismatch, result.TLSUnrecognizedName, result.TLSProtocolError, result.TLSFailed:
		return true
	}
	return false
}

// hello makes the experiments with other ClientHellos, and reports whether one of them works.
func (d *round) hello() (works bool) {
	var cure result.ExperimentKind
	for at := helloTree; at != nil; {
		kind := at.kind
		if !d.subject.canChange(kind) || !d.try(kind) {
			at = at.ifFails
			continue
		}
		at = at.ifWorks
		switch {
		case cure == "":
			cure = kind
			if d.try(result.Again) {
				return true // it has recovered
			}
		case cure == result.HelloPlain && kind != result.HelloOtherCiphers:
			cure = kind // the one of its two changes that matters
		}
	}
	if cure == "" {
		return false
	}
	if d.try(cure) {
		d.try(result.Again)
	}
	return true
}

// changedHello makes a handshake with another ClientHello, with the address that failed.
func (p *Prober) changedHello(ctx context.Context, kind result.ExperimentKind, s *subject) result.Experiment {
	ctx, cancel := context.WithTimeout(ctx, min(s.result.Timeout, helloPatience))
	defer cancel()
	a := p.newAttempt(ctx, s.target, s.module, "")
	first := &s.result.Last().Hops[0]
	a.answers, a.lookup, a.addr = first.Answers, first.Lookup, s.addr().Addr()
	a.hello, a.stop = changeHello(kind), result.TLS
	h := a.run()
	c := result.Experiment{Kind: kind, Attempt: a.record, Failure: a.record.Failure}
	if h != nil && h.TLS != nil && len(h.TLS.Chain) > 0 {
		c.Failure = nil // the hello was accepted, whatever its certificate is worth
	}
	return c
}

// canChange reports whether the subject's hello has what a variant of it leaves out.
func (s *subject) canChange(kind result.ExperimentKind) bool {
	c, name := s.module.TLS, s.result.Last().LastHop().TLS.ServerName
	_, err := netip.ParseAddr(name)
	named := err != nil && name != "" && !fips140.Enabled() // which has rules of its own for chains
	newest := c.MaxVersion == 0 || c.MaxVersion >= tls.VersionTLS13
	older := newest && allowsTLS12(c)
	switch kind {
	case result.HelloWithoutMLKEM, result.HelloPadded, result.HelloSmallSplit:
		left := len(classical(c.CurvePreferences))
		return newest && left > 0 && left != len(c.CurvePreferences)
	case result.HelloOtherCiphers:
		return len(c.CipherSuites) != 1
	case result.HelloOtherName, result.HelloNoName:
		return named
	case result.HelloPlain:
		return older || len(c.NextProtos) > 0
	case result.HelloTLS12:
		return older
	case result.HelloNoALPN:
		return len(c.NextProtos) > 0
	}
	return true
}

// helloChange is how a ClientHello differs from the module's; the zero one does not.
type helloChange struct {
	change func(*tls.Config) // nil: its content is the same
	split  bool              // it leaves in two segments
}

// changeHello is the change of an experiment.
func changeHello(kind result.ExperimentKind) helloChange {
	tls12 := func(c *tls.Config) { c.MaxVersion = min(newestVersion(c), tls.VersionTLS12) }
	noALPN := func(c *tls.Config) { c.NextProtos = nil }
	switch kind {
	case result.HelloWithoutMLKEM:
		return helloChange{change: withoutMLKEM}
	case result.HelloPadded:
		return helloChange{change: func(c *tls.Config) { withoutMLKEM(c); pad(c) }}
	case result.HelloSmallSplit:
		return helloChange{withoutMLKEM, true}
	case result.HelloOtherCiphers:
		return helloChange{change: func(c *tls.Config) { c.CipherSuites = otherSuites(c.CipherSuites) }}
	case result.HelloOtherName:
		return helloChange{change: func(c *tls.Config) { c.ServerName = reservedName }}
	case result.HelloNoName:
		return helloChange{change: func(c *tls.Config) { c.ServerName = "" }}
	case result.HelloSplit:
		return helloChange{split: true}
	case result.HelloPlain:
		return helloChange{change: func(c *tls.Config) {
			noALPN(c)
			if allowsTLS12(c) {
				tls12(c)
			}
		}}
	case result.HelloTLS12:
		return helloChange{change: tls12}
	case result.HelloNoALPN:
		return helloChange{change: noALPN}
	}
	return helloChange{}
}

func newestVersion(c *tls.Config) uint16 {
	if c.MaxVersion == 0 {
		return tls.VersionTLS13
	}
	return c.MaxVersion
}

// allowsTLS12 reports whether a handshake with TLS 1.2 is possible.
func allowsTLS12(c *tls.Config) bool {
	return c.MinVersion <= tls.VersionTLS12 && len(classical(c.CurvePreferences)) > 0
}

// withoutMLKEM leaves the post-quantum key shares out: X25519MLKEM768 (0x11ec) has 1,216 bytes.
func withoutMLKEM(c *tls.Config) { c.CurvePreferences = classical(c.CurvePreferences) }

// classical are the groups of a module that TLS 1.2 has too: those without ML-KEM.
func classical(configured []tls.CurveID) []tls.CurveID {
	all := []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	if len(configured) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(group tls.CurveID) bool { return !slices.Contains(configured, group) })
}

// pad makes a hello longer than ML-KEM does, by protocols in ALPN that do not exist: a server takes the first that it
// knows (RFC 7301 section 3.2).
func pad(c *tls.Config) {
	c.NextProtos = slices.Clone(c.NextProtos)
	if len(c.NextProtos) == 0 {
		c.NextProtos = []string{"http/1.1"}
	}
	for n := range byte(5) {
		c.NextProtos = append(c.NextProtos, "padding-"+strings.Repeat(string('a'+rune(n)), 247)) // of at most 255 bytes
	}
}

// otherSuites is another list of cipher suites than the module's: ECDHE with AES-GCM, which servers of TLS 1.2 have.
// Where the module names some, the list has some of those, at least one of two. Those of TLS 1.3 are not configurable.
func otherSuites(configured []uint16) []uint16 {
	suites := []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
	if len(configured) == 0 {
		return suites
	}
	kept := slices.DeleteFunc(suites, func(suite uint16) bool { return !slices.Contains(configured, suite) })
	if len(kept) == 0 || len(kept) == len(configured) {
		return configured[:len(configured)/2]
	}
	return kept
}

// apply changes a configuration. The certificate stays verified for the name that the module wants: the chains are
// there after the handshake, nil where the name is the same.
func (v *helloChange) apply(c *tls.Config) *chains {
	if v.change == nil {
		return nil
	}
	name := c.ServerName
	v.change(c)
	if c.ServerName == name || c.InsecureSkipVerify {
		return nil
	}
	found := new(chains)
	c.InsecureSkipVerify = true // it is done below, at the same moment of the handshake
	c.VerifyConnection = func(cs tls.ConnectionState) (err error) {
		defer guard.Catch(&err)
		intermediates := x509.NewCertPool()
		for _, sent := range cs.PeerCertificates[1:] {
			intermediates.AddCert(sent)
		}
		*found, err = cs.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: c.RootCAs, Intermediates: intermediates,
			DNSName: name})
		if err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
		}
		return nil
	}
	return found
}

// over is the connection that a handshake writes to.
func (v *helloChange) over(g *gate, name string) net.Conn {
	if !v.split {
		return g
	}
	return &splitHello{Conn: g, gate: g, name: []byte(name)}
}

// splitHello is a connection whose first write, the ClientHello, leaves in two segments.
type splitHello struct {
	net.Conn
	gate *gate
	name []byte // the server name, which is cut in two; empty: there is none
	done bool
}

// Write writes the first bytes in two parts, with a pause between them in which others may compute.
func (s *splitHello) Write(p []byte) (int, error) {
	if s.done {
		return s.Conn.Write(p)
	}
	s.done = true
	at := len(p) / 2
	if found := bytes.Index(p, s.name); found > 0 && len(s.name) > 0 {
		at = found + len(s.name)/2
	}
	n, err := s.Conn.Write(p[:at])
	if err != nil {
		return n, err
	}
	if err := s.gate.pause(helloPause); err != nil {
		return n, err
	}
	rest, err := s.Conn.Write(p[at:])
	return n + rest, err
}
