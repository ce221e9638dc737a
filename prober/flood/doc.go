// Package flood stops a peer that sends without bringing the response forward.
//
//   - Every layer of a connection counts units: reads of the socket, TLS records, HTTP/2 frames, bytes around an
//     HTTP/1.1 body, bytes of compressed data, datagrams. What a unit is for does not matter: the next kind of frame is
//     counted like the others.
//   - A unit has a price in useful bytes, and what the layer returns to the one above is useful. A budget pays for what
//     is not: FreeUnits at once, and unitsPerSecond from then on, so that a server that is slow, or that sends PING
//     while nothing happens, never exceeds it.
//   - Each KiB of a request's body pays for four units: acknowledgements and window updates.
//   - A layer whose budget is spent ends the connection: reason peer.flood. RFC 9113 section 10.5 and RFC 9000 section
//     21.9 leave the bound to the implementation.
package flood
