package prober_test

import (
	"strings"
	"time"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/prober/result"
)

// Faults of the way while a connection stands: failures.md, section 2.4 (black holes), finding 5, and sections 5 and 6.

// Lengths of a request's body: one that the kernel takes at once, and one that it cannot.
const (
	smallUpload = 5_000
	largeUpload = 16 << 20
)

// attentive is a deadline by which a keepalive has been sent, a second after the last segment, and missed its answer.
const attentive = 1800 * time.Millisecond

// dead is a path on which nothing is answered any more, found at our own deadline.
func dead(phase result.Phase, tcp string) sighting {
	return sighting{phase, result.TCPAborted, "", result.Self, "", tcp, deadline.Round(time.Second)}
}

// held is data that this host itself does not send.
func held(phase result.Phase) sighting {
	return sighting{phase, result.TCPAborted, "", result.Local, "", "ESTABLISHED, keepalives",
		deadline.Round(time.Second)}
}

func wasReset(phase result.Phase) sighting {
	return sighting{Phase: phase, Reason: result.TCPReset, Errno: "ECONNRESET", Origin: result.Peer, TCP: "CLOSE"}
}

// unheard is a host that answers no keepalive.
func unheard(phase result.Phase) sighting {
	return sighting{phase, result.TCPAborted, "", result.Self, "", "ESTABLISHED, keepalives",
		attentive.Round(time.Second)}
}

// netnsExchangeRows are connections that stood, and then their path failed.
func netnsExchangeRows() []netnsRow {
	var rows []netnsRow
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		port, host := "port-unreachable", "host-unreachable"
		if f == netlab.V6 {
			host = "addr-unreachable"
		}
		forgotten := wasReset(result.Processing)
		forgotten.TCP, forgotten.Took = "CLOSE, keepalives", time.Second // the first keepalive finds out
		rows = append(rows, []netnsRow{
			{f.String() + " black hole after the handshake", netlab.BlackHoleAfterHandshake(f), visit{},
				dead("processing", "ESTABLISHED, unacked")},
			{f.String() + " black hole after the handshake, upload", netlab.BlackHoleAfterHandshake(f),
				visit{Body: largeUpload},
				dead("request", "ESTABLISHED, unacked")},
			{f.String() + " black hole after the handshake, TLS", secure(netlab.BlackHoleAfterHandshake(f)), visit{},
				dead("tls", "ESTABLISHED, unacked")},
			{f.String() + " own firewall drops the request", netlab.OwnRequestRefused(f, "drop"), visit{},
				held("processing")},
			{f.String() + " own firewall rejects the request", netlab.OwnRequestRefused(f, "reject"), visit{},
				held("processing")},
			{f.String() + " own firewall drops the ClientHello", secure(netlab.OwnRequestRefused(f, "drop")), visit{},
				held("tls")},
			{f.String() + " own firewall drops the upload", netlab.OwnRequestRefused(f, "drop"),
				visit{Body: largeUpload}, held("request")},
			{f.String() + " host dies before the response", netlab.HostDiesBeforeResponse(f), visit{Timeout: attentive},
				unheard("processing")},
			{f.String() + " host dies mid-body", netlab.HostDiesMidBody(f), visit{Timeout: attentive},
				unheard("transfer")},
			{f.String() + " host forgets the connection", netlab.HostForgets(f), visit{Timeout: attentive}, forgotten},
			{f.String() + " r1 resets the request", netlab.RequestReset(f, netlab.R1), visit{Count: again},
				wasReset("processing")},
			{f.String() + " r2 resets the request", netlab.RequestReset(f, netlab.R2), visit{Count: again},
				wasReset("processing")},
			{f.String() + " r1 resets the upload", netlab.RequestReset(f, netlab.R1),
				visit{Count: again, Body: largeUpload}, wasReset("request")},
			{f.String() + " r1 resets the ClientHello", secure(netlab.RequestReset(f, netlab.R1)), visit{Count: again},
				wasReset("tls")},
			// ICMP is a hint to a connection that stands, no end: TCP goes on repeating its data.
			{f.String() + " ICMP for the request", netlab.RequestRejected(f, netlab.R1, host), visit{},
				dead("processing", "ESTABLISHED, unacked")},
			{f.String() + " ICMP port unreachable for the request", netlab.RequestRejected(f, netlab.R2, port), visit{},
				dead("processing", "ESTABLISHED, unacked")},
			{f.String() + " ICMP for the upload", netlab.RequestRejected(f, netlab.R1, host), visit{Body: largeUpload},
				dead("request", "ESTABLISHED, unacked")},
			{f.String() + " large packets vanish on the way there, small upload", netlab.BlackHoleForLarge(f),
				visit{Body: smallUpload},
				dead("processing", "ESTABLISHED, unacked")},
			{f.String() + " large packets vanish on the way there, large upload", netlab.BlackHoleForLarge(f),
				visit{Body: largeUpload},
				dead("request", "ESTABLISHED, unacked")},
			// A ClientHello with a post-quantum key share takes two segments.
			{f.String() + " large packets vanish on the way there, TLS", secure(netlab.BlackHoleForLarge(f)), visit{},
				dead("tls", "ESTABLISHED, unacked")},
			{f.String() + " large packets vanish on the way back", netlab.BlackHoleForLarge(f), visit{},
				dead("processing", "ESTABLISHED, hole")},
			{f.String() + " large packets vanish on the way back, body", netlab.BlackHoleForLargeBody(f), visit{},
				dead("transfer", "ESTABLISHED, hole")},
			{f.String() + " large packets vanish on the way back, TLS", secure(netlab.BlackHoleForLargeFlight(f)),
				visit{},
				dead("tls", "ESTABLISHED, hole")},
			{f.String() + " routers tell of the narrow link", netlab.NarrowMiddle(f), visit{Body: smallUpload},
				succeeded("ESTABLISHED, short segments")},
		}...)
	}
	return rows
}

// secure is a fault met by an https URL.
func secure(fault netlab.Fault) netlab.Fault {
	return func(n *netlab.Net) string {
		return strings.Replace(fault(n), "http://", "https://", 1)
	}
}
