// Package reset reports who sent a RST: the server, a middlebox or this host.
//
//   - A packet socket captures the SYN-ACKs and RSTs that arrive in this network namespace, before TCP processes them.
//     It needs CAP_NET_RAW; without it everything else works.
//   - A middlebox that resets in the server's name is rarely where the server is: its packets pass fewer routers and
//     arrive with a larger TTL (hop limit) than the server's own SYN-ACK. Initial TTLs are 64, 128 or 255; two that
//     differ say nothing about distance, since a socket may set its TTL while its kernel's RST has the default.
//   - A RST with TCP options comes from a socket that is alive: its application aborted. One without answers a segment
//     of a connection that its sender does not know, or no longer knows.
//
// Reading order: capture.go (what is remembered, and what follows from it), segment.go (one packet), capture_linux.go
// (the packet socket).
package reset
