package prober

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"errno_exporter/config"
	"errno_exporter/prober/result"
)

// Step says which part of an attempt failed, and with it which rules classify its failure.
type Step int

// The steps that are classified.
const (
	StepLookup    Step = iota // asking a resolver
	StepAuthorize             // adding credentials to the request
	StepDial                  // connecting over TCP
	StepStream                // anything on an established TCP connection
	StepIdle                  // an idle connection between two requests
	StepOpenUDP               // opening the socket that QUIC runs over
	StepQUIC                  // anything on a QUIC connection
)

// Evidence is what a step knows of its failure, and all that classification looks at. The step that failed fills it once its connection
// is closed; nothing in it changes afterwards.
type Evidence struct {
	Step  Step
	Phase result.Phase
	Err   error // what the step returned

	Ended   Ending        // how the attempt's own time ended, if it did
	EndedAt time.Duration // when our deadline or a cancel reached the socket, since the attempt began; 0 if it did not

	Token        *TokenAnswer   // what the token endpoint answered; nil where it is not what failed
	Lookup       *result.Lookup // what the resolver said; nil outside StepLookup
	Wire         *result.Wire   // what the socket saw; nil before there was one
	ICMPFromHost bool           // the ICMP message in Wire comes from this host itself
	NoSource     bool           // EADDRNOTAVAIL, and this host has no address of the family that was dialled

	TLS         *result.TLSState // nil before a certificate was shown
	Handshaking bool             // TLS was being negotiated, with the target or with the proxy
	Encrypted   bool             // a TLS layer was on top of the socket
	WantsTLS    bool             // the connection is, or was to be, encrypted
	TLSEnd      error            // what ended the reading of the TLS layer; nil without one

	Flood     error       // what the peer sent too much of; nil if it did not
	Frames    *framesSeen // what HTTP/2 frames said; nil for other protocols
	Responded bool        // the final response's head had arrived
	Silent    bool        // QUIC: the server had stopped answering when our deadline struck
}

// TokenAnswer is what a token endpoint answered instead of a token.
type TokenAnswer struct {
	Status     int  // of its response; 0 without one
	Redirected bool // it led elsewhere, which we do not follow
}

// ending says how our context ended, given the error that a step returned: a socket's deadline may strike a moment before the
// context's.
func (a *attempt) ending(err error) Ending {
	switch a.ctx.Err() {
	case nil:
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
			return Deadline
		}
		return Running
	case context.Canceled:
		return Cancelled
	default:
		return Deadline
	}
}

// evidence is what is known of a failure on the hop's connection, which is closed by now.
func (h *hop) evidence(phase result.Phase, err error) *Evidence {
	e := &Evidence{Step: StepStream, Phase: phase, Err: err, TLS: h.TLS, Responded: h.response != nil, Flood: h.flooded()}
	if h.quic != nil {
		e.Step, e.Wire, e.Silent, e.Ended = StepQUIC, h.quic.socket.seen(), h.quic.dead, h.attempt.ending(err)
		e.ICMPFromHost = e.Wire.ICMP != nil && localAddress(e.Wire.ICMP.From)
		return e
	}
	if e.EndedAt = h.socket.ended(); e.EndedAt != 0 {
		e.Ended = h.attempt.ending(os.ErrDeadlineExceeded)
	}
	e.Encrypted = h.stream != h.socket
	e.WantsTLS = h.request.URL.Scheme == "https" || h.proxyTLS
	e.Handshaking = phase == result.TLS || phase == result.Proxy && !e.Encrypted && h.proxyTLS
	if h2, ok := h.stream.(*h2conn); ok {
		seen := h2.frames()
		e.Frames = &seen
	}
	if h.head != nil && h.head.exceeded() || e.Frames != nil && e.Frames.tooMany {
		e.Err = errTooManyFields // net/http may make something else of it: a line that ends early is malformed
	}
	if e.Encrypted {
		e.TLSEnd = h.endOfTLS()
	}
	e.Wire = h.socket.seen()
	return e
}

// classified names a failure on the hop's connection, which is closed by now.
func (h *hop) classified(phase result.Phase, err error) result.Failure {
	return classify(h.evidence(phase, err))
}

// endOfTLS is what ended the reading of the TLS layer on top of the socket: what had been decrypted is read up, then crypto/tls repeats
// its error.
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
func authorizeEvidence(err error, ended Ending) *Evidence {
	e := &Evidence{Step: StepAuthorize, Err: err, Ended: ended}
	if token, ok := errors.AsType[*config.TokenError](err); ok {
		e.Token = &TokenAnswer{Status: token.Status, Redirected: errors.Is(err, config.ErrTokenRedirect)}
	}
	return e
}

// lookupEvidence is what is known of a lookup that failed.
func lookupEvidence(l *result.Lookup, err error, ended Ending) *Evidence {
	return &Evidence{Step: StepLookup, Err: err, Lookup: l, Ended: ended}
}

// dialEvidence is what is known of a TCP connection that was not established.
func dialEvidence(w *result.Wire, err error, ended Ending) *Evidence {
	errno, _ := errnoOf(err)
	return &Evidence{
		Step: StepDial, Err: err, Wire: w, Ended: ended, ICMPFromHost: w.ICMP != nil && localAddress(w.ICMP.From),
		NoSource: errno == syscall.EADDRNOTAVAIL && w.Remote.IsValid() && !hasFamily(w.Remote.Addr()),
	}
}

// hasFamily reports whether this host has an address of an address's family. Without one the kernel finds no source address, and its errno is that of
// a host without free ports.
func hasFamily(addr netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true // not known
	}
	for _, one := range own {
		if prefix, err := netip.ParsePrefix(one.String()); err == nil && prefix.Addr().Unmap().Is4() == addr.Unmap().Is4() {
			return true
		}
	}
	return false
}
