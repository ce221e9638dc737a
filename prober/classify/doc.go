// Package classify turns evidence into a Failure. It is pure, and the only place that looks inside errors; it imports
// nothing of ours but package result. The steps of a probe fill the Evidence.
//
// What the socket saw comes first, types second, texts last; what fits nothing is unknown, never a guess. The
// precedence, first match wins:
//
//  1. what never left the host,
//  2. our own cancel, before any event,
//  3. a protocol's own word (TLS alert, GOAWAY, RST_STREAM): it arrived before the transport event that followed it,
//  4. the first transport event that was not our doing, if it came before our deadline,
//  5. our deadline, refined by TCP_INFO,
//  6. what could not be parsed.
//
// evidence.go has what is known, classify.go the rules of connections and exchanges, dns.go those of lookups, tls.go of
// alerts and certificates, http2.go of frames and streams, quic.go of HTTP/3, errors.go the error types that the steps
// mark their own errors with.
package classify
