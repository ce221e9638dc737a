package cause

import (
	"time"

	"errno_exporter/prober/result"
)

// proxies are situations of the module's proxy.
func proxies() []situation {
	dial := failed(result.Proxy, result.TCPRefused, result.Peer)
	unreached := failed(result.Proxy, result.TCPAddressUnreachable, result.Path)
	fails := failed(result.Proxy, result.ProxyFailed, result.Peer)
	denies := failed(result.Proxy, result.ProxyDenied, result.Peer)
	squid := func(reason result.UpstreamReason) Digest {
		return seen(fails, says(`the proxy answered CONNECT with "503 Service Unavailable"`,
			&result.Upstream{Reason: reason, By: result.BySquid}))
	}
	unreachable, noName := squid(result.ConnectionRefused), squid(result.DNSErrorUpstream)
	return []situation{
		{"the proxy's port is closed", after(n(1, dial)),
			"proxy_down proxy medium"},
		{"the proxy's port is closed, always", after(n(3, dial)),
			"proxy_down proxy high"},
		{"the proxy's port is closed, once", after(healthy, n(1, dial), n(1, worked(1))),
			"transient unknown medium; not proxy_down"},
		{"the proxy takes CONNECT and does not answer: it may wait for the target",
			after(n(2, failed(result.Proxy, result.HTTPResponseTimedOut, result.Self))),
			"unknown unknown low; open [proxy_down upstream_failed]"},
		{"a rule of this host refuses the way to the proxy, always",
			after(healthy, n(3, failed(result.Proxy, result.TCPRefused, result.Local))),
			"firewall_reject us high; not proxy_down"},
		{"a router refuses the way to the proxy by a rule, always",
			after(healthy, n(3, seen(unreached, icmp(router, 3, 13)))),
			"firewall_reject path high; not proxy_down"},
		{"a router has no route to the proxy, always",
			after(healthy, n(3, seen(unreached, icmp(router, 3, 0)))),
			"path_outage path high; not proxy_down"},
		{"a router has no route to the proxy, once",
			after(healthy, n(1, seen(unreached, icmp(router, 3, 0))), n(1, worked(1))),
			"transient unknown medium; not path_outage proxy_down"},
		{"a router does not find the proxy's host, always",
			after(healthy, n(3, seen(unreached, icmp(router, 3, 1), func(o *Digest) { o.Connecting = 3 * time.Second }))),
			"proxy_down proxy high"},
		{"the proxy's host refuses by a rule, always",
			after(healthy, n(3, seen(unreached, icmp(target, 3, 13)))),
			"proxy_down proxy high"},
		{"plain HTTP: the proxy takes the request, and nothing comes",
			after(n(3, worked(1, brief)), n(3, seen(hangs, proxied))).made("again- more_time-"),
			"unknown unknown low; not transient; open [proxy_down upstream_failed pmtu_black_hole server_unresponsive]"},
		{"plain HTTP: the proxy relays half of a body, and no more comes",
			after(n(3, seen(failed(result.Transfer, result.HTTPResponseTimedOut, result.Self), proxied))).
				made("again- more_time-"),
			"unknown unknown low; not timeout_too_short transient; " +
				"open [proxy_down upstream_failed pmtu_black_hole server_unresponsive]"},
		{"a tunnel, and the ClientHello is not answered",
			after(healthy, n(3, seen(failed(result.TLS, result.TLSTimedOut, result.Self), tunnelled))),
			"unknown unknown low; not transient; " +
				"open [proxy_down upstream_failed client_hello_rejected pmtu_black_hole server_unresponsive]"},
		{"a tunnel, and the request is not answered: the handshake came from the server",
			after(healthy, n(3, seen(hangs, tunnelled))),
			"server_unresponsive server medium; not transient; open [pmtu_black_hole]"},
		{"the proxy's name is not resolved",
			after(n(1, failed(result.Proxy, result.DNSTimedOut, result.Self))),
			"dns_broken dns medium"},
		{"500 through a tunnel is the server's",
			after(n(1, status(500, tunnelled))),
			"server_error server high"},
		{"the proxy is silent, and so is everything",
			after(n(1, failed(result.Proxy, result.TCPTimedOut, result.Self))).egress(Egress{Known: true}),
			"no_egress us high; not proxy_down"},
		{"the proxy forbids", after(n(1, denies)),
			"proxy_policy proxy medium"},
		{"the proxy forbids, twice", after(n(2, denies)),
			"proxy_policy proxy high"},
		{"the proxy does not reach the target", after(n(1, unreachable)),
			"upstream_failed unknown medium"},
		{"the proxy does not reach the target, twice", after(n(2, unreachable)),
			"upstream_failed unknown high"},
		{"the proxy does not resolve the name", after(n(1, noName)),
			"upstream_failed dns medium"},
		{"the proxy does not resolve the name, twice", after(n(2, noName)),
			"upstream_failed dns high"},
		{"the proxy answers CONNECT with 500", after(n(2,
			seen(fails, says(`the proxy answered CONNECT with "500 Oops"`, nil)))),
			"unknown unknown low"},
		{"the proxy fails itself", after(n(1, squid(result.ProxyInternalError))),
			"proxy_down proxy medium"},
		{"the proxy fails itself, twice", after(n(2, squid(result.ProxyInternalError))),
			"proxy_down proxy high"},
		{"the proxy answers CONNECT with 502 by a rule", after(n(1, squid(result.DestinationIPProhibited))),
			"proxy_policy proxy medium"},
		{"the proxy answers CONNECT with 502 by a rule, twice", after(n(2, squid(result.DestinationIPProhibited))),
			"proxy_policy proxy high"},
		{"plain HTTP: squid fails itself", after(n(1, status(500, proxied, ofProxy, itself))),
			"proxy_down proxy medium; not server_error"},
		{"plain HTTP: squid's ACL", after(n(1, status(403, proxied, ofProxy,
			speaks(func(s *Said) { s.Denied = true })))),
			"proxy_policy proxy high"},
		{"plain HTTP: squid does not reach the target", after(n(2, status(503, proxied, ofProxy, gateway))),
			"upstream_failed unknown medium"},
		{"plain HTTP: squid does not resolve the name",
			after(n(1, status(503, proxied, ofProxy, gateway, speaks(func(s *Said) { s.NoName = true })))),
			"upstream_failed dns medium"},
		{"plain HTTP: 500 of the server behind the proxy", after(n(1, status(500, proxied, origin))),
			"server_error server high"},
		{"plain HTTP: 500 of nobody knows whom", after(n(1, status(500, proxied))),
			"unknown unknown low; open [server_error]"},
		{"plain HTTP: 500 of the proxy's own", after(n(1, status(500, proxied, ofProxy))),
			"unknown unknown low; not server_error"},
		{"plain HTTP: 404 of nobody knows whom", after(n(1, status(404, proxied))),
			"unknown unknown low"},
		{"plain HTTP: 400 of nobody knows whom", after(n(1, status(400, proxied))),
			"unknown unknown low"},
		{"plain HTTP: 503 of nobody knows whom", after(n(1, status(503, proxied))),
			"unknown unknown low"},
		{"plain HTTP: 302 of nobody knows whom", after(n(1, status(302, proxied))),
			"unknown unknown low"},
		{"a tunnel ends", after(n(3, seen(closedFIN, proxied))),
			"unknown unknown low; not request_rejected transient; open [firewall_reject server_aborts]"},
	}
}
