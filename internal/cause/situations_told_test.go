package cause

import (
	"syscall"
	"time"

	"errno_exporter/prober/result"
)

// told are situations in which the failure's own words, or a status, show whose they are, and seem to show more.
func told() []situation {
	lastHop := failed(result.Connect, result.TCPAddressUnreachable, result.Path, icmp(router, 3, 1))
	lastHop6 := failed(result.Connect, result.TCPAddressUnreachable, result.Path, icmp(router6, 1, 3))
	noNet := failed(result.Connect, result.TCPAddressUnreachable, result.Path, icmp(router, 3, 0))
	quick := seen(lastHop, quickly)
	neighbour := failed(result.Connect, result.TCPAddressUnreachable, result.Local, icmp(self, 3, 1))
	held := failed(result.Processing, result.TCPAborted, result.Local, small)
	loop := failed(result.Validate, result.HTTPRedirectLoop, result.Self, func(o *Digest) { o.Status = 302 })
	alert := seen(failed(result.TLS, result.TLSVersionOrCipherMismatch, result.Peer), func(o *Digest) { o.Alert = 40 })
	http1 := failed(result.Processing, result.H2StreamReset, result.Peer,
		says("stream error: stream ID 1; HTTP_1_1_REQUIRED; received from peer", nil))
	malformed := failed(result.Transfer, result.HTTPProtocolError, result.Peer)
	wantsTLS := speaks(func(s *Said) { s.WantsTLS = true })
	again := failed(result.Processing, result.TLSProtocolError, result.Peer, says("local error: tls: no renegotiation", nil))
	noResolver := failed(result.Resolve, result.DNSUnreachable, result.Path)
	noResolver.Failure.Errno = syscall.EHOSTUNREACH
	up := Egress{Known: true, Up: true}
	return []situation{
		{"a router does not find the host", after(n(1, lastHop)),
			"path_outage unknown medium; open [transient]"},
		{"a router does not find the host, always", after(n(3, lastHop6)),
			"path_outage unknown medium; not transient"},
		{"a router did not find the host once", after(healthy, n(1, lastHop), n(1, worked(1))),
			"transient unknown medium; not path_outage"},
		{"a router does not find the host, and once says so at once", after(n(1, lastHop), n(1, quick)),
			"path_outage unknown medium; not transient"},
		{"a router does not find the host and says so at once, and the name was resolved slowly",
			after(n(2, seen(lastHop, func(o *Digest) { o.Connecting = time.Millisecond }))),
			"path_outage path high; not transient"},
		{"a router does not find the host and says so at once, and the exporter was late",
			after(n(2, seen(lastHop, func(o *Digest) { o.Late = 900 * time.Millisecond }))),
			"path_outage path high; not transient"},
		{"a router has no route, and the name was resolved slowly", after(n(2, noNet)),
			"path_outage path high; not transient"},
		{"a neighbour is silent", after(n(2, neighbour)),
			"unknown unknown low; not transient; open [no_egress firewall_drop]"},
		{"a neighbour is silent, others are reached", after(n(2, neighbour)).egress(up),
			"unknown unknown low; not no_egress transient; open [firewall_drop]"},
		{"a neighbour is silent, other networks are reached", after(n(2, neighbour)).egress(Egress{Others: 2, Unreached: 1}),
			"unknown unknown low; not no_egress transient; open [firewall_drop]"},
		{"a neighbour is silent, and nothing else is reached", after(n(2, neighbour)).egress(Egress{Known: true}),
			"no_egress us high; not transient"},
		{"this host does not send the request", after(n(1, held)),
			"firewall_drop us medium; not path_outage pmtu_black_hole; open [transient]"},
		{"this host does not send the request, twice", after(healthy, n(2, held)),
			"firewall_drop us high; not path_outage pmtu_black_hole transient"},
		{"redirects without end", after(n(2, loop)),
			"server_error server medium"},
		{"redirects without end, through a proxy", after(n(2, seen(loop, proxied))),
			"unknown unknown low; open [server_error]"},
		{"HTTP/2: the server wants HTTP/1.1", after(n(1, http1)),
			"h2_only server medium; not firewall_reject request_rejected; open [server_aborts transient]"},
		{"HTTP/2: the server wants HTTP/1.1, always", after(n(3, http1)),
			"h2_only server high; not firewall_reject request_rejected transient"},
		{"HTTP/2: the server wanted HTTP/1.1 once", after(healthy, n(1, http1), n(1, worked(1))),
			"transient unknown medium; not firewall_reject h2_only request_rejected; open [server_aborts]"},
		{"plain HTTP is answered with a TLS alert", after(n(1, seen(malformed, wantsTLS))),
			"tls_mismatch us medium; open [transient]"},
		{"plain HTTP is answered with a TLS alert, twice", after(n(2, seen(malformed, wantsTLS))),
			"tls_mismatch us high; not server_error transient"},
		{"the server negotiates TLS again", after(n(1, again)),
			"tls_mismatch us medium; open [transient]"},
		{"a router does not reach the resolver", after(n(1, noResolver)),
			"dns_broken unknown medium"},
		{"a router does not reach the resolver, nor anything else", after(n(1, noResolver)).egress(Egress{Known: true}),
			"no_egress us high; not dns_broken"},
		{"a router does not reach the resolver, and no network is reached",
			after(n(1, noResolver)).egress(Egress{Others: 2, Unreached: 2, Down: true}),
			"no_egress us medium; not dns_broken"},
		{"511: a captive portal", after(n(2, status(511))),
			"intercepted us medium"},
		{"511 through a proxy", after(n(2, status(511, proxied))),
			"intercepted us medium"},
		{"407, and the module has no proxy", after(n(2, status(407))),
			"intercepted us medium"},
		{"429 through a proxy: nobody knows whose", after(n(2, status(429, proxied, limited))),
			"rate_limited server medium"},
		{"another hello works twice where an alert refuses ours",
			after(n(2, alert)).made("again- hello_tls12+ again- hello_tls12+ again-"),
			"client_hello_rejected unknown high; not tls_mismatch transient"},
		{"another hello works where an alert refuses ours now and then",
			after(n(1, alert), n(1, worked(1)), n(1, alert), n(1, worked(1)), n(1,
				alert)).made("again- hello_tls12+ again- hello_tls12+ again-"),
			"tls_mismatch server medium; not client_hello_rejected transient"},
		{"the server's own firewall prohibits", after(n(1, failed(result.Connect, result.TCPAddressUnreachable, result.Path,
			icmp(target, 3, 13)))),
			"firewall_reject server high"},
	}
}
