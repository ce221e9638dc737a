// Package prober probes one HTTP API once, step by step, and records in which phase it failed, why, with which errno,
// and who ended it.
//
// A probe is a function from (target, module) to a Result; nothing in here knows of metrics, logs or pages. Read it in
// this order:
//
//	probe.go      a probe: its target, its deadline, its attempts
//	attempt.go    an attempt: the hops of the target and of its redirects; when it is repeated
//	hop.go        the order of the steps: the definition of the phases
//	resolve.go, connect.go, proxy.go, tls.go, request.go, exchange.go, body.go, expect.go   one file a step
//	client.go     what net/http does with the connection, and what it reports of the exchange
//	evidence.go   what a step knows of its failure, and who sent a RST; package classify names it
//
// Its packages: result has the vocabulary, and what a probe leaves behind; classify names failures; dns looks up names;
// flood bounds what a peer may send without bringing the response forward; socket makes a connection and records what
// the operating system reports about it, under TLS and net/http.
//
// The prober owns every connection: it dials the address that was resolved, does the TLS handshake, and hands the
// connection to net/http as a single-use http.ClientConn. So net/http never dials, pools or retries, and each hop is
// one connection and one attempt whatever the server does. Linux-only evidence (TCP_INFO, the error queue, the kernel's
// timestamps) is in socket, and absent elsewhere.
package prober
