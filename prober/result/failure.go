package result

import (
	"fmt"
	"syscall"
)

// Phase is what a probe was doing. Each is one step of a hop, in this order; a phase that never began leaves no span.
// The names are those of blackbox_exporter's phase label, with proxy, request, validate and idle added.
type Phase string

// The phases of a hop, and idle for a connection between two requests.
const (
	Resolve    Phase = "resolve"    // question asked to addresses known
	Connect    Phase = "connect"    // socket() to a completed TCP handshake
	Proxy      Phase = "proxy"      // TLS with the proxy and its tunnel; all of a failure to reach or to use it
	TLS        Phase = "tls"        // flights sent to answers arrived, summed; elsewhere ClientHello to handshake done
	Request    Phase = "request"    // connection ready to last request byte accepted by the kernel
	Processing Phase = "processing" // request written to first byte of the final response
	Transfer   Phase = "transfer"   // first response byte to last body byte
	Validate   Phase = "validate"   // the complete response is checked
	Idle       Phase = "idle"       // an idle connection between two requests
)

// Phases lists every phase in the order of a hop, with the words that end an operator's sentence: "connection reset by
// the peer while waiting for the response".
var Phases = []struct {
	Phase   Phase
	While   string // "while …"
	Meaning string
}{
	{Resolve, "resolving the name", "The name is being resolved to addresses."},
	{Connect, "connecting", "The TCP handshake with the address is under way."},
	{Proxy, "setting up the tunnel through the proxy",
		"The proxy is dialled and asked for a tunnel; every failure before the tunnel is established belongs here."},
	{TLS, "negotiating TLS", "The TLS handshake with the target is under way."},
	{Request, "sending the request", "The request is being sent; the phase ends when the kernel has accepted its " +
		"last byte."},
	{Processing, "waiting for the response", "The request has been sent and no byte of the final response has " +
		"arrived: the server is processing it."},
	{Transfer, "receiving the response", "The response has begun and its last body byte has not arrived."},
	{Validate, "checking the response", "The response is complete and is checked against the module's rules."},
	{Idle, "the connection was idle", "The connection is idle between two requests."},
}

// While returns the words for "what we were doing" in an operator's sentence.
func (p Phase) While() string {
	for _, row := range Phases {
		if row.Phase == p {
			return row.While
		}
	}
	panic(fmt.Sprintf("prober: phase %q is not in the table", string(p)))
}

// Origin says who ended an attempt. Empty where nobody did: a complete response that fails the checks.
type Origin string

// The origins of a failure.
const (
	Peer   Origin = "peer"   // RST, FIN, alert or bytes from the peer's address
	Path   Origin = "path"   // ICMP from a router, or a reset proven to come from a middlebox
	Kernel Origin = "kernel" // our kernel's timer: ETIMEDOUT
	Self   Origin = "self"   // we gave up: deadline, cancel, a certificate or redirect that we refuse
	Local  Origin = "local"  // never left the host
)

// Failure says where an attempt stopped, why, and who ended it. Err is free text for the record and never becomes a
// label.
type Failure struct {
	Phase  Phase
	Reason Reason
	Errno  syscall.Errno // of the causal system call; 0 where there is none (FIN, alert, our deadline, bad bytes)
	Origin Origin
	Check  Check // which check refused the response; empty outside validate
	Index  int   // of the check's rules, the one that refused it, counted as Check says; else 0
	Err    error // what the step returned; may be nil

	Extended *ExtendedError // what the name server reports about a failed lookup; nil for nothing
}

// Check names the kind of rule of the module that refused a response. The rules of a kind are counted from 0 in the
// order of the configuration: those that fail if something matches, then those that fail if it does not.
type Check string

// The checks of the validate phase, in the order in which they are applied.
const (
	CheckStatus   Check = "status"
	CheckHeader   Check = "header_regexp"
	CheckBodySize Check = "body_size"
	CheckBody     Check = "body_regexp"
	CheckCEL      Check = "body_cel"
	CheckVersion  Check = "http_version"
	CheckTLS      Check = "tls_policy"
	CheckRedirect Check = "redirect"
)

// Sentence is the failure in the words an operator reads first:
// "connection reset by the peer while waiting for the response (ECONNRESET)". Where a rule of the module refused the
// response, it has what was wanted and what came: "unexpected HTTP status: 404 Not Found, wanted 2xx".
func (f *Failure) Sentence() string {
	s := f.Reason.short()
	if !f.Reason.impliesPhase(f.Phase) {
		s += " while " + f.Phase.While()
	}
	if f.Errno != 0 {
		s += " (" + ErrnoName(f.Errno) + ")"
	}
	if f.Extended != nil {
		s += "; the name server reports " + f.Extended.Name()
	}
	if f.Check != "" && f.Err != nil && f.Origin != Local {
		s += ": " + Cut(f.Err.Error(), maxBrief)
	}
	return s
}

// errnos is the closed list of values of the errno label. ETIMEDOUT is only ever the kernel's: our own deadline has
// none.
var errnos = []struct {
	errno syscall.Errno
	name  string
}{
	{syscall.ECONNREFUSED, "ECONNREFUSED"},
	{syscall.ECONNRESET, "ECONNRESET"},
	{syscall.EPIPE, "EPIPE"},
	{syscall.ETIMEDOUT, "ETIMEDOUT"},
	{syscall.EHOSTUNREACH, "EHOSTUNREACH"},
	{syscall.ENETUNREACH, "ENETUNREACH"},
	{syscall.EHOSTDOWN, "EHOSTDOWN"},
	{syscall.ENETDOWN, "ENETDOWN"},
	{syscall.EACCES, "EACCES"},
	{syscall.EPERM, "EPERM"},
	{syscall.EADDRNOTAVAIL, "EADDRNOTAVAIL"},
	{syscall.EADDRINUSE, "EADDRINUSE"},
	{syscall.EMFILE, "EMFILE"},
	{syscall.ENFILE, "ENFILE"},
	{syscall.ENOBUFS, "ENOBUFS"},
	{syscall.ENOMEM, "ENOMEM"},
	{syscall.EINVAL, "EINVAL"},
	{syscall.ENOPROTOOPT, "ENOPROTOOPT"},
	{syscall.EPROTO, "EPROTO"},
	{syscall.EMSGSIZE, "EMSGSIZE"},
}

// ErrnoName is the symbolic name of an errno as the errno label shows it: "" for none, "OTHER" outside the closed list.
func ErrnoName(e syscall.Errno) string {
	if e == 0 {
		return ""
	}
	for _, known := range errnos {
		if e == known.errno {
			return known.name
		}
	}
	return "OTHER"
}
