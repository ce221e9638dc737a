package cause

import (
	"time"

	"errno_exporter/prober/result"
)

// mixed are situations that real servers showed: what single packets, limits and gateways make of an incident.
func mixed() []situation {
	atOnce := failed(result.Connect, result.TCPReset, result.Peer)
	lossy := func(o *Digest) { o.Lost = true }
	stopped := failed(result.Transfer, result.HTTPResponseTimedOut, result.Self,
		func(o *Digest) { o.Delivered, o.Received = true, 20000 })
	return []situation{
		{"hangs, and in the newest probe an acknowledgement is lost", after(healthy, n(3, hangs), n(1, seen(dead, small))),
			"unknown unknown low; not pmtu_black_hole transient; open [path_outage]"},
		{"hangs, and twice an acknowledgement is lost", after(healthy, n(1, hangs), n(2, seen(dead, small))),
			"unknown unknown low; not pmtu_black_hole transient; open [path_outage]"},
		{"hangs, and now and then an acknowledgement is lost",
			after(healthy, n(2, seen(dead, small)), n(1, hangs), n(1, seen(dead, small))),
			"unknown unknown low; not pmtu_black_hole transient; open [path_outage]"},
		{"slower because the exporter was late, then resets",
			after(n(2, worked(1)), n(3, worked(400, func(o *Digest) { o.Late = 300 * time.Millisecond })),
				n(3, resetLive)),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"slower, also without the time by which the exporter was late, then resets",
			after(n(2, worked(1)), n(3, worked(400, func(o *Digest) { o.Late = 100 * time.Millisecond })),
				n(3, resetLive)),
			"server_overloaded server medium; not firewall_reject request_rejected transient; open [server_aborts]"},
		{"slower where segments were lost, then closes",
			after(n(2, worked(1)), n(3, worked(400, lossy)), n(3, closedFIN)),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"slower in the last two by no more than a retransmission takes, then closes",
			after(n(3, worked(1)), n(2, worked(220)), n(3, closedFIN)),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"slower in the last two by more than that, then closes",
			after(n(3, worked(1)), n(2, worked(400)), n(3, closedFIN)),
			"server_overloaded server medium; not firewall_reject request_rejected transient; open [server_aborts]"},
		{"two handshakes without an answer", after(healthy, n(2, shaking)),
			"server_unresponsive server medium; not transient; open [client_hello_rejected pmtu_black_hole]"},
		{"two handshakes in which segments are lost", after(healthy, n(2, seen(shaking, lossy))),
			"unknown unknown low; not transient; open [client_hello_rejected pmtu_black_hole server_unresponsive]"},
		{"502, and once an answer is lost", after(n(3, status(502, gateway)), n(1, hangs)),
			"unknown unknown low; not transient; open [pmtu_black_hole server_unresponsive]"},
		{"a hang, and repeated, a hang", after(healthy, n(1, hangs)).made("again-"),
			"server_unresponsive server medium; not transient; open [pmtu_black_hole]"},
		{"dead, and repeated, as dead", after(healthy, n(1, seen(dead, small))).made("again-"),
			"path_outage path medium; not pmtu_black_hole transient"},
		{"the path goes dead after a hang", after(healthy, n(1, hangs), n(3, seen(dead, small))),
			"path_outage path medium; not pmtu_black_hole transient"},
		{"accepted, and reset before the request", after(healthy, n(3, seen(atOnce, bySocket))),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"accepted, and reset before the request; the sender is not known", after(healthy, n(3, seen(atOnce, notPlain))),
			"unknown unknown low; not request_rejected transient; open [firewall_reject server_aborts]"},
		{"a part of the body, and then nothing", after(healthy, n(3, stopped)),
			"unknown unknown low; not transient; open [pmtu_black_hole timeout_too_short server_unresponsive]"},
		{"a part of the body, and more time does not help", after(healthy, n(3, stopped)).made("again- more_time-"),
			"server_unresponsive server medium; not timeout_too_short transient; open [pmtu_black_hole]"},
		{"a part of the body, once, and more time does not help", after(healthy, n(1, stopped)).made("more_time-"),
			"unknown unknown low; not timeout_too_short; open [pmtu_black_hole server_unresponsive transient]"},
		{"the body is cut, and more time does not help",
			after(healthy, n(3, seen(failed(result.Transfer, result.TCPAborted, result.Self), small))).made("more_time-"),
			"path_outage path medium; not pmtu_black_hole transient"},
	}
}
