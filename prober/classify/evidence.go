package classify

import (
	"time"

	"errno_exporter/prober/result"
)

// Ending says how an attempt's own time ended, if it did.
type Ending int

// The endings.
const (
	Running   Ending = iota // it had not ended
	Deadline                // the deadline struck
	Cancelled               // whoever wanted the probe left
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

// Evidence is what a step knows of its failure, and all that classification looks at. The step that failed fills it
// once its connection is closed; nothing in it changes afterwards.
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

	Flood     error   // what the peer sent too much of; nil if it did not
	Frames    *Frames // what HTTP/2 frames said; nil for other protocols
	Responded bool    // the final response's head had arrived
	Silent    bool    // QUIC: the server had stopped answering when our deadline struck
}

// TokenAnswer is what a token endpoint answered instead of a token.
type TokenAnswer struct {
	Status  int  // of its response; 0 without one
	Refused bool // we end it: it redirects to another origin, or sends more than a token can be
}

// cause is the transport event that ended the connection before we had given up; nil for none.
func (e *Evidence) cause() *result.Event {
	if c := e.Wire.Cause; e.Ended == Running || c == nil || c.End <= e.EndedAt {
		return c
	}
	return nil
}
