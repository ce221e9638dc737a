// Package dns looks up the addresses of a name, and keeps what was seen on the wire.
//
// A Query is answered in one of two ways:
//
//   - System: Go's resolver sends the questions, so that hosts files, search lists and resolv.conf's options count as
//     they do for other programs of this host. Its errors lose both the RCODE and the errno (net.DNSError is text), so
//     a recorder on its sockets reads the answers too. The cgo resolver would report EMFILE as a name that does not
//     exist: it is never used.
//   - Configured: this package sends the questions to servers (RFC 1035, 7858, 8484). The name is sent as it is: no
//     search list, no hosts file. Servers are queried in their order. One that does not answer within serverPatience,
//     or answers SERVFAIL or REFUSED, is followed by the next; the list is gone through twice. Over UDP a message that
//     is not the answer to the question is ignored, over other protocols it is an error. An answer over UDP that is
//     truncated, or does not repeat the letter case of the question, is confirmed over TCP. Questions have EDNS(0); a
//     server that refuses it with FORMERR is asked again without.
//
// In both, A and AAAA are queried side by side. When one family has addresses, the other is waited for as long as RFC
// 8305 section 3 says (the resolution delay), and at most a small share of the time that is left: a name server that
// drops questions for AAAA costs a probe a moment, and not its deadline.
//
// An answer has the ID, the response bit, the opcode, and the question of its query (RFC 5452 section 9.1). The
// server's address and port are the kernel's to compare: each question has a connected socket of its own (udp(7)),
// whose port the kernel chooses at random. Of an answer's records only those count whose owner is the name that was
// queried, or a name to which CNAME records lead from there.
//
// Reading order: lookup.go (System, and what both share), configured.go (servers and protocols), answer.go (which
// messages answer a question, letter case), family.go (how long a family is waited for), recorder.go (under Go's
// resolver), bounds.go (how much a server may send),
// edns.go (EDNS(0), and Extended DNS Errors).
package dns
