package prober

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// ending says how our context ended, given the error that a step returned: a socket's deadline may strike a moment
// before the context's.
func (a *attempt) ending(err error) classify.Ending {
	switch a.ctx.Err() {
	case nil:
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
			return classify.Deadline
		}
		return classify.Running
	case context.Canceled:
		return classify.Cancelled
	default:
		return classify.Deadline
	}
}

// evidence is what is known of a failure on the hop's connection, which is closed by now.
func (h *hop) evidence(phase result.Phase, err error) *classify.Evidence {
	e := &classify.Evidence{Step: classify.StepStream, Phase: phase, Err: err, TLS: h.TLS, Responded: h.response != nil,
		Flood: h.flooded()}
	if h.quic != nil {
		e.Step, e.Wire, e.Silent, e.Ended = classify.StepQUIC, h.quic.socket.seen(), h.quic.dead, h.attempt.ending(err)
		e.ICMPFromHost = e.Wire.ICMP != nil && socket.IsLocal(e.Wire.ICMP.From)
		return e
	}
	if e.EndedAt = h.socket.InterruptedAt(); e.EndedAt != 0 {
		e.Ended = h.attempt.ending(os.ErrDeadlineExceeded)
	}
	e.Encrypted = h.stream != h.socket
	e.WantsTLS = h.request.URL.Scheme == "https" || h.proxyTLS
	e.Handshaking = phase == result.TLS || phase == result.Proxy && !e.Encrypted && h.proxyTLS
	if h2, ok := h.stream.(*h2conn); ok {
		seen := h2.frames()
		e.Frames = &seen
	}
	if h.head != nil && h.head.exceeded() || e.Frames != nil && e.Frames.TooMany {
		e.Err = errTooManyFields // net/http may make something else of it: a line that ends early is malformed
	}
	if h.head != nil && !e.Encrypted && h.head.alerted() {
		e.Err = classify.ErrNotEncrypted // the alert has no line's end: net/http waits for it until the connection ends
	}
	if e.Encrypted {
		e.TLSEnd = h.endOfTLS()
	}
	e.Wire = h.socket.Wire()
	return e
}

// classified names a failure on the hop's connection, which is closed by now.
func (h *hop) classified(phase result.Phase, err error) result.Failure {
	return classify.Failure(h.evidence(phase, err))
}

// endOfTLS is what ended the reading of the TLS layer on top of the socket: what had been decrypted is read up, then
// crypto/tls repeats its error.
func (h *hop) endOfTLS() error {
	var rest [512]byte
	for range 64 {
		if _, err := h.stream.Read(rest[:]); err != nil {
			return err
		}
	}
	return nil
}

// authorizeEvidence is what is known of a request that could not be made.
func authorizeEvidence(err error, ended classify.Ending) *classify.Evidence {
	e := &classify.Evidence{Step: classify.StepAuthorize, Err: err, Ended: ended}
	if token, ok := errors.AsType[*module.TokenError](err); ok {
		refused := errors.Is(err, module.ErrTokenRedirect) || errors.Is(err, module.ErrTokenFlood)
		e.Token = &classify.TokenAnswer{Status: token.Status, Refused: refused}
	}
	return e
}

// lookupEvidence is what is known of a lookup that failed.
func lookupEvidence(l *result.Lookup, err error, ended classify.Ending) *classify.Evidence {
	return &classify.Evidence{Step: classify.StepLookup, Err: err, Lookup: l, Ended: ended}
}

// dialEvidence is what is known of a TCP connection that was not established.
func dialEvidence(w *result.Wire, err error, ended classify.Ending) *classify.Evidence {
	return &classify.Evidence{
		Step: classify.StepDial, Err: err, Wire: w, Ended: ended, ICMPFromHost: w.ICMP != nil &&
			socket.IsLocal(w.ICMP.From),
		NoSource: noSource(err, w.Remote.Addr()),
	}
}

// udpEvidence is what is known of a UDP socket that could not be connected to an address.
func udpEvidence(to netip.Addr, err error, ended classify.Ending) *classify.Evidence {
	return &classify.Evidence{Step: classify.StepOpenUDP, Err: err, Ended: ended, NoSource: noSource(err, to)}
}

// noSource reports whether a connection to an address failed because this host has no address of its family.
func noSource(err error, to netip.Addr) bool {
	errno, _ := classify.Errno(err)
	return errno == syscall.EADDRNOTAVAIL && to.IsValid() && !hasFamily(to)
}

// hasFamily reports whether this host has an address of an address's family. Without one the kernel finds no source
// address, and its errno is that of a host without free ports.
func hasFamily(addr netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true // not known
	}
	for _, one := range own {
		if prefix, err := netip.ParsePrefix(one.String()); err == nil &&
			prefix.Addr().Unmap().Is4() == addr.Unmap().Is4() {
			return true
		}
	}
	return false
}

// Resets reports who sent a RST. internal/reset implements it.
type Resets interface {
	// Ended returns the RST that ended a connection, given what its socket saw; nil if none was captured.
	Ended(*result.Wire) *result.Reset
	// Refused returns the RST that has answered a SYN to a server since a time; nil if none was seen.
	Refused(remote netip.AddrPort, since time.Time) *result.Reset
}

// provenance notes who sent the RST by which a hop failed, and corrects the origin where that is certain.
func (h *hop) provenance(f *result.Failure) {
	resets := h.attempt.prober.options.Resets
	if resets == nil || f.Reason != result.TCPReset && f.Reason != result.TCPRefused {
		return
	}
	if h.socket == nil && h.Wire != nil && h.Wire.ICMP == nil && f.Reason == result.TCPRefused {
		h.Wire.Reset = resets.Refused(h.Wire.Remote, h.attempt.start)
		timed(h.Wire.Reset, h.attempt.start, 0)
		h.Wire.Reset.Correct(f)
	}
	if h.socket == nil && h.Wire != nil && h.Wire.Local.IsValid() && f.Reason == result.TCPReset {
		h.Wire.Reset = resets.Ended(h.Wire) // established, and reset before connect() had returned
		timed(h.Wire.Reset, h.attempt.start, 0)
		h.Wire.Reset.Correct(f)
	}
	if h.socket != nil {
		reset := resets.Ended(h.socket.Wire())
		_, wrote := h.socket.Times()
		timed(reset, h.socket.Start(), wrote)
		h.socket.SetReset(reset)
		reset.Correct(f)
	}
}

// timed adds when a RST arrived, since the attempt began and since the last write, if there was one.
func timed(r *result.Reset, start time.Time, wrote time.Duration) {
	if r == nil || r.RST == nil {
		return
	}
	r.RST.At = max(0, r.RST.Arrived.Sub(start))
	if wrote > 0 && r.RST.At > wrote {
		r.RST.AfterWrite = r.RST.At - wrote
	}
}
