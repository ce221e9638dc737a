package cause

import (
	"time"

	"errno_exporter/prober/result"
)

// earlier are situations in which what an earlier failure of the run shows explains the newest one, or seems to.
func earlier() []situation {
	calm := failed(result.Processing, result.H2Throttled, result.Peer)
	hung := seen(hangs, func(o *Digest) { o.Took = 2 * time.Second })
	brief := seen(hangs, func(o *Digest) { o.Took = time.Second })
	lost := seen(hung, func(o *Digest) { o.Delivered = false })
	asked := func(o *Digest) { o.CertAsked = true }
	unsent := seen(unanswered, sentTwice, rose("TcpRetransSegs=1, TcpExtTCPRetransFail=1"))
	full := after(healthy, n(2, hung), n(2, unanswered))
	up := Egress{Known: true, Up: true}
	const nothing = "unknown unknown low; not transient; open [no_egress accept_queue_full firewall_drop path_outage]"
	return []situation{
		{"HTTP/2: asked to slow down, then closed", after(n(1, calm), n(2, closedFIN)),
			"rate_limited server medium; not firewall_reject request_rejected transient; open [server_aborts]"},
		{"HTTP/2: asked to slow down, then reset from nearer", after(n(1, calm), n(2, seen(resetBare, nearer))),
			"firewall_reject path high; not rate_limited request_rejected server_aborts transient"},
		{"HTTP/2: asked to slow down, then refused", after(healthy, n(1, calm), n(2, refused)),
			"server_restarted server medium; not not_listening transient; open [firewall_reject]"},
		{"429, then closed", after(healthy, n(1, status(429, limited)), n(2, closedFIN)),
			"rate_limited server medium; not firewall_reject request_rejected transient; " +
				"open [server_overloaded server_aborts]"},
		{"as many remembered failures as are remembered, and perhaps more before", after(n(Remembered, closedFIN)),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"asked to slow down before the last success", after(n(1, calm), n(3, worked(1)), n(3, closedFIN)),
			"server_aborts server medium; not firewall_reject request_rejected transient"},

		{"requests hang, then SYNs are not answered", full,
			"accept_queue_full server medium; not transient; open [no_egress firewall_drop path_outage]"},
		{"requests hang, then SYNs are not answered, and a closed port answers", full.closed(0),
			"accept_queue_full server high; not no_egress path_outage transient"},
		{"requests hang, then the whole host is silent", full.silent(),
			nothing},
		{"requests hang, then nothing is reached", full.egress(Egress{Known: true}),
			"no_egress us high; not accept_queue_full firewall_drop transient"},
		{"requests hang, then SYNs are not answered, and unrelated networks lose packets",
			full.egress(Egress{Impaired: 3, Known: true, Up: true}),
			"egress_impaired us medium; not no_egress transient; open [accept_queue_full firewall_drop path_outage]"},
		{"requests hang, then this host does not send SYNs", after(healthy, n(2, hung), n(2, unsent)).egress(up),
			"firewall_drop us high; not accept_queue_full no_egress path_outage transient"},
		{"requests hang, then connections are refused", after(healthy, n(2, hung), n(2, refused)),
			"server_restarted server medium; not not_listening transient; open [firewall_reject]"},
		{"a request hangs for no longer than a keepalive takes, then SYNs are not answered",
			after(healthy, n(1, brief), n(2, unanswered)), nothing},
		{"a request is not acknowledged, then SYNs are not answered", after(healthy, n(1, lost), n(2, unanswered)), nothing},

		{"a client certificate is asked for, and the server closes", after(n(3, seen(closedFIN, asked))),
			"unknown unknown low; not firewall_reject request_rejected transient; open [tls_mismatch server_aborts]"},
		{"a client certificate is asked for, and the server closes in the body",
			after(n(3, seen(failed(result.Transfer, result.TCPClosed, result.Peer), asked))),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"a client certificate is asked for in TLS 1.2, and the server closes",
			after(n(3, seen(failed(result.TLS, result.TCPClosed, result.Peer), asked))),
			"unknown unknown low; not transient; open [tls_mismatch client_hello_rejected]"},
		{"a client certificate is asked for in TLS 1.2, and the server closes after other hellos, too",
			after(n(3, seen(failed(result.TLS, result.TCPClosed, result.Peer), asked))).made("again- hello_tls12-"),
			"unknown unknown low; not client_hello_rejected server_aborts transient; open [tls_mismatch]"},
		{"a client certificate is asked for in TLS 1.2, and the handshake hangs", after(n(3, seen(shaking, asked))),
			"unknown unknown low; not transient; open [client_hello_rejected pmtu_black_hole server_unresponsive]"},
		{"a client certificate is asked for, it worked before, and the server closes",
			after(healthy, n(3, seen(closedFIN, asked))),
			"server_aborts server high; not firewall_reject request_rejected transient"},
	}
}

// undelivered are situations in which the server gives up before our request has arrived.
func undelivered() []situation {
	stuck := func(o *Digest) { o.Stuck = true }
	gaveUp := status(408, stuck)
	closed := seen(closedFIN, stuck)
	return []situation{
		{"408, and the request was not acknowledged", after(healthy, n(1, gaveUp)),
			"unknown unknown low; not request_rejected; open [pmtu_black_hole]"},
		{"408, and the request was not acknowledged, twice", after(healthy, n(2, gaveUp)),
			"pmtu_black_hole path medium; not request_rejected"},
		{"408, the request was not acknowledged, and small segments do not help",
			after(healthy, n(2, gaveUp)).made("again- small_segments-"),
			"unknown unknown low; not request_rejected; open [pmtu_black_hole]"},
		{"400, and the request was not acknowledged", after(healthy, n(2, status(400, stuck))),
			"pmtu_black_hole path medium; not request_rejected"},
		{"500, and the request was not acknowledged", after(healthy, n(2, status(500, stuck))),
			"pmtu_black_hole path medium; open [server_error]"},
		{"401 before the request was acknowledged", after(healthy, n(2, status(401, stuck))),
			"request_rejected server high"},
		{"408", after(healthy, n(2, status(408))),
			"request_rejected server high"},
		{"closed before the request was acknowledged", after(healthy, n(1, closed)),
			"unknown unknown low; not firewall_reject request_rejected; open [pmtu_black_hole server_aborts transient]"},
		{"some are closed before the request was acknowledged",
			after(healthy, n(1, closed), n(1, worked(1)), n(1, closed)),
			"unknown unknown low; not firewall_reject request_rejected; open [pmtu_black_hole server_aborts transient]"},
		{"closed before the request was acknowledged, always", after(healthy, n(3, closed)),
			"pmtu_black_hole path medium; not firewall_reject request_rejected transient; open [server_aborts]"},
	}
}

// redirected are situations in which redirects led away from the target: successes elsewhere say nothing of it.
func redirected() []situation {
	led := func(to string) func(*Digest) {
		return func(o *Digest) { o.Places = "http://api.test " + to }
	}
	closed := reset(result.EndHost, 62, 62, false)
	login, away := led("https://login.test"), led("http://api.test:9999")
	plain := failed(result.TLS, result.TLSNotTLS, result.Peer, led("https://api.test:80"))
	wantsTLS := failed(result.Processing, result.HTTPProtocolError, result.Peer, led("http://api.test:443"),
		func(o *Digest) { o.Said.WantsTLS = true })
	return []situation{
		{"a redirect to where nothing listens, after successes without one", after(healthy, n(2, seen(refused, away))),
			"unknown unknown low; not transient; open [firewall_reject not_listening]"},
		{"the same, by the host itself", after(healthy, n(3, seen(refused, away, closed))),
			"unknown unknown low; not transient; open [firewall_reject not_listening]"},
		{"a redirect to where nothing listens, from the first probe on", after(n(3, seen(refused, away, closed))),
			"not_listening unknown medium; not transient; open [firewall_reject]"},
		{"a redirect to another place than before", after(n(6, seen(worked(1), login)), n(2, seen(refused, away))),
			"unknown unknown low; not transient; open [firewall_reject not_listening]"},
		{"where the redirect always led refuses", after(n(6, seen(worked(1), login)), n(2, seen(refused, login))),
			"server_restarted server medium; not not_listening transient; open [firewall_reject]"},
		{"the target of a redirect refuses before it", after(n(6, seen(worked(1), login)), n(2, refused)),
			"server_restarted server medium; not not_listening transient; open [firewall_reject]"},
		{"a redirect that is new leads back to the first place", after(healthy,
			n(2, seen(refused, led("https://login.test http://api.test")))),
			"server_restarted server medium; not not_listening transient; open [firewall_reject]"},
		{"a handshake hangs where a redirect leads, after successes without one", after(healthy, n(3, seen(shaking, login))),
			"unknown unknown low; not transient; open [client_hello_rejected pmtu_black_hole server_unresponsive]"},
		{"a redirect leads to a port without TLS", after(healthy, n(3, plain)),
			"tls_mismatch server medium; not transient"},
		{"a redirect leads to a port without TLS, and another address has it",
			after(n(3, plain)).made("again- other_address+ again- other_address+ again-"),
			"one_bad_address server high; not tls_mismatch transient"},
		{"a redirect leads to a port with TLS, without https", after(healthy, n(3, wantsTLS)),
			"tls_mismatch server medium; not server_error transient"},
	}
}
