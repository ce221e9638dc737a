// Package reset reports who sent a RST: the server, a middlebox or this host.
//
//   - A packet socket captures the SYN-ACKs and RSTs that arrive in this network namespace, before TCP processes them.
//     It needs CAP_NET_RAW; without it everything else works.
//   - A middlebox that resets in the server's name is rarely where the server is: its packets pass fewer routers and
//     arrive with a larger TTL (hop limit) than the server's own SYN-ACK. Initial TTLs are 64, 128 or 255; two that
//     differ say nothing about distance, since a socket may set its TTL while its kernel's RST has the default.
//   - A RST with TCP options comes from a socket that is alive: its application aborted. One without answers a segment
//     of a connection that its sender does not know, or no longer knows.
//   - Only a RST with exactly the next sequence number ends a connection of Linux (RFC 5961 section 3.2). Among several
//     that one did, and others ahead of the stream are signs of an injector that guesses. That a connection ended
//     in order is seen by its socket; of those of other processes SeeFINs shows who closed first.
//
// Reading order: capture.go (what is remembered), closed.go (who closed first), compare.go (which RST ended a
// connection, and what it is beside the others), segment.go (one packet), capture_linux.go and packets_linux.go (the
// packet socket).
package reset
