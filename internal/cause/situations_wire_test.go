package cause

import (
	"time"

	"errno_exporter/internal/lifetime"
	"errno_exporter/prober/result"
)

// changes are situations in which experiments or the addresses of a name tell.
func changes() []situation {
	h2 := seen(closedFIN, func(o *Digest) { o.Protocol = "HTTP/2.0" })
	one := addresses("-192.0.2.1", "+192.0.2.2", "+192.0.2.3")
	six := addresses("+192.0.2.1", "-2001:db8::2")
	hole := func(o *Digest) { o.Hole = true }
	coming := failed(result.Transfer, result.HTTPResponseTimedOut, result.Self,
		func(o *Digest) { o.Progress, o.Delivered, o.Received, o.Announced = true, true, 5000, 10000 })
	mixed := addresses("-192.0.2.1", "+192.0.2.2", "-2001:db8::2")
	return []situation{
		{"one of three addresses fails", after(n(1, seen(closedFIN, one))),
			"unknown server low; not firewall_reject request_rejected; open [server_aborts transient]"},
		{"one of three addresses fails, twice", after(n(2, seen(closedFIN, one))),
			"one_bad_address server medium; not firewall_reject request_rejected transient; open [server_aborts]"},
		{"one of three addresses fails, always", after(n(3, seen(closedFIN, one))),
			"one_bad_address server high; not firewall_reject request_rejected transient"},
		{"one of three addresses fails, each time another",
			after(n(1, seen(closedFIN, one)), n(1,
				seen(closedFIN, addresses("+192.0.2.1", "-192.0.2.2", "+192.0.2.3")))),
			"server_aborts server medium; not firewall_reject request_rejected transient"},
		{"IPv6 fails, twice", after(n(2, seen(refused, six))),
			"one_family_broken unknown medium; not one_bad_address transient; open [firewall_reject not_listening]"},
		{"IPv6 fails, always", after(n(3, seen(refused, six))),
			"one_family_broken unknown high; not one_bad_address transient"},
		{"IPv6 fails, once", after(n(1, seen(refused, six))),
			"unknown unknown low; open [firewall_reject not_listening transient]"},
		{"both families have a bad address", after(n(2, seen(refused, mixed))),
			"one_bad_address server medium; not transient; open [firewall_reject not_listening]"},
		{"another address works", after(n(1, resetLive)).made("again- other_address+ again-"),
			"one_bad_address server medium; not firewall_reject request_rejected server_aborts transient"},
		{"another address works, and this one never did",
			after(n(3, resetLive)).made("again- other_address+ again- other_address+ again-"),
			"one_bad_address server high; not firewall_reject request_rejected server_aborts transient"},
		{"another address works, and the original was not repeated",
			after(n(3, resetLive)).made("again- other_address+"),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"another address worked once of thrice", after(n(3,
			resetLive)).made("again- other_address+ other_address- other_address- again-"),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"the other family works", after(n(1, resetLive)).made("again- other_family+ again-"),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"the other family works, always", after(n(2,
			resetLive)).made("again- other_family+ again- other_family+ again-"),
			"one_family_broken server high; not firewall_reject request_rejected transient"},
		{"the other family is fine, and the name is not resolved",
			after(n(2, failed(result.Resolve, result.DNSTimedOut, result.Self))).made("again- other_family+ again-"),
			"dns_broken dns medium"},
		{"experiments made for another address", func() Evidence {
			e := after(n(3, resetLive)).made("again- other_address+ again-")
			e.Experiments.Addr = other
			return e
		}(),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"experiments made for another failure", func() Evidence {
			e := after(n(3, resetLive)).made("again- other_address+ again-")
			e.Experiments.After.Reason = result.TCPClosed
			return e
		}(),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"experiments made before a success", func() Evidence {
			e := after(n(2, resetLive)).made("again- other_address+ again-")
			e.Recent = append(e.Recent, after(n(2, resetLive), n(1, worked(1)), n(1, resetLive)).Recent[2:]...)
			return e
		}(),
			"server_aborts server medium; not firewall_reject request_rejected; open [transient]"},
		{"experiments of an hour ago", func() Evidence {
			e := after(n(2, resetLive)).made("again- other_address+ again-")
			e.Experiments.At = e.end().Add(-time.Hour)
			return e
		}(),
			"server_aborts server medium; not firewall_reject request_rejected transient"},
		{"small segments work", after(n(1, dead)).made("again- small_segments+ again-"),
			"pmtu_black_hole path medium; not transient; open [path_outage]"},
		{"small segments work in one of two tries",
			after(n(2, dead)).made("again- small_segments- small_segments+ again- small_segments+ again-"),
			"pmtu_black_hole path high; not transient"},
		{"small segments do not help", after(n(2, dead)).made("again- small_segments- small_segments-"),
			"path_outage unknown medium; not pmtu_black_hole transient"},
		{"small segments do not help, and little was sent",
			after(n(2, seen(dead, small))).made("again- small_segments- small_segments-"),
			"path_outage unknown medium; not pmtu_black_hole transient"},
		{"small segments work where little was sent",
			after(n(2, seen(dead, small))).made("again- small_segments+ again- small_segments+ again-"),
			"pmtu_black_hole path high; not transient"},
		{"plain HTTP: a large answer never comes, small segments work",
			after(n(2, hangs)).made("again- small_segments+ again- small_segments+ again-"),
			"pmtu_black_hole path high; not server_unresponsive transient"},
		{"small segments work against resets", after(n(2, resetLive)).made("again- small_segments+ again-"),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"the end arrived and the beginning did not", after(n(2, seen(dead, hole))),
			"pmtu_black_hole path medium; not transient; open [path_outage]"},
		{"the end arrived and the beginning did not, and it hangs", after(n(2, seen(hangs, hole))),
			"pmtu_black_hole path medium; not transient; open [server_unresponsive]"},
		{"the end arrived once", after(healthy, n(1, seen(dead, hole)), n(1, worked(1))),
			"transient unknown medium; open [pmtu_black_hole path_outage]"},
		{"the end arrived, and small segments do not help",
			after(n(2, seen(dead, hole))).made("again- small_segments- small_segments-"),
			"path_outage unknown medium; not pmtu_black_hole transient"},
		{"a hole, and a reset", after(n(1, seen(resetLive, hole))),
			"unknown server low; not firewall_reject request_rejected; open [server_aborts transient]"},
		{"HTTP/1.1 works", after(n(1, h2)).made("again- http1+ again-"),
			"h2_only server medium; not firewall_reject request_rejected server_aborts transient"},
		{"HTTP/1.1 works, always", after(n(3, h2)).made("again- http1+ again- http1+ again-"),
			"h2_only server high; not firewall_reject request_rejected server_aborts transient"},
		{"a plain request works", after(n(1, seen(closedFIN, notPlain))).made("again- plain_request+ again-"),
			"request_rejected us medium; not firewall_reject server_aborts transient"},
		{"a plain request works, after successes",
			after(healthy, n(2, seen(closedFIN, notPlain))).made("again- plain_request+ again-"),
			"request_rejected us medium; not firewall_reject server_aborts transient"},
		{"a plain request works, and another hello does not",
			after(n(2, seen(closedFIN, notPlain))).made("again- hello_tls12- plain_request+ again-"),
			"request_rejected us medium; not firewall_reject server_aborts transient"},
		{"a plain request works, always", after(n(3,
			seen(closedFIN, notPlain))).made("again- plain_request+ again- plain_request+ again-"),
			"request_rejected us high; not firewall_reject server_aborts transient"},
		{"a plain request does not work", after(n(3, seen(closedFIN, notPlain))).made("again- plain_request-"),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"more time helps", after(n(1, hangs)).made("again- more_time+ again-"),
			"timeout_too_short us medium; not transient; open [pmtu_black_hole server_unresponsive]"},
		{"more time helps, and it always took long",
			after(n(3, worked(6000)), n(2, hangs)).made("again- more_time+ again-"),
			"timeout_too_short us high; not transient"},
		{"more time helps, and it used to be quick", after(healthy, n(2, hangs)).made("again- more_time+ again-"),
			"server_overloaded server medium; not timeout_too_short transient; open [pmtu_black_hole " +
				"server_unresponsive]"},
		{"more time does not help, and it always took long",
			after(n(3, worked(6000)), n(2, hangs)).made("again- more_time-"),
			"unknown unknown low; not timeout_too_short transient; open [pmtu_black_hole server_unresponsive]"},
		{"it always took long", after(n(3, worked(6000)), n(2, hangs)),
			"timeout_too_short us medium; not transient; open [pmtu_black_hole server_unresponsive]"},
		{"it always took long, and is reset", after(n(3, worked(6000)), n(2, resetLive)),
			"server_aborts server medium; not firewall_reject request_rejected transient"},
		{"more time helps against resets", after(healthy, n(2, resetLive)).made("again- more_time+ again-"),
			"server_aborts server high; not firewall_reject request_rejected timeout_too_short transient"},
		{"the body is still coming", after(n(1, coming)),
			"timeout_too_short us medium; not pmtu_black_hole; open [server_unresponsive transient]"},
		{"the body is still coming, twice", after(n(2, coming)),
			"timeout_too_short us high; not pmtu_black_hole transient"},
		{"bytes came, and then a reset", after(n(1,
			failed(result.Transfer, result.TCPReset, result.Peer, bySocket,
				func(o *Digest) { o.Progress = true }))),
			"unknown server low; not firewall_reject request_rejected; open [server_aborts transient]"},
	}
}

// idleOnes are situations of idle connections.
func idleOnes() []situation {
	fin := idleFor(30*time.Second, false, result.TCPClosed)
	rst := func(sender result.Sender, live bool) func(*IdleConn) {
		return func(k *IdleConn) { k.Reset = &result.Reset{Sender: sender, Live: live, TTL: 62, Reference: 62} }
	}
	silent := idleFor(time.Minute, true, result.TCPAborted)
	near := idleFor(time.Minute, true, result.TCPReset, rst(result.Middlebox, false))
	forgot := idleFor(time.Minute, true, result.TCPReset, rst(result.EndHost, false))
	unseen := idleFor(time.Minute, true, result.TCPReset)
	announced := func(k *IdleConn) { k.Announced = 30 * time.Second }
	served := IdleConn{Age: time.Minute, At: began.Add(time.Hour)}
	return []situation{
		{"an idle connection ended in order, once: a reload does that", after(healthy).idle(fin),
			"none"},
		{"idle connections ended at a similar age", after(healthy).idle(fin, fin),
			"server_idle_timeout server medium"},
		{"idle connections ended at a similar age, three times", after(healthy).idle(fin, fin, fin),
			"server_idle_timeout server high"},
		{"idle connections ended at the announced age",
			after(healthy).idle(idleFor(30*time.Second, false, result.TCPClosed, announced),
				idleFor(30*time.Second, false, result.TCPClosed, announced)),
			"server_idle_timeout server high"},
		{"idle connections ended at different ages",
			after(healthy).idle(idleFor(5*time.Second, false, result.TCPClosed),
				idleFor(50*time.Second, false, result.TCPClosed)),
			"none"},
		{"two idle connections ended at one moment",
			after(healthy).idle(fin, func() IdleConn { k := fin; k.At = began; return k }()),
			"none"},
		{"an idle connection ended, and the next was served", after(healthy).idle(fin, fin, served),
			"none"},
		{"silence on an idle connection", after(healthy).idle(silent),
			"path_idle_timeout path medium"},
		{"silence on idle connections of the same age", after(healthy).idle(silent, silent),
			"path_idle_timeout path high"},
		{"an idle connection is reset from nearer", after(healthy).idle(near),
			"path_idle_timeout path medium"},
		{"idle connections are reset from nearer", after(healthy).idle(near, near),
			"path_idle_timeout path high"},
		{"a rebooted server does not know an idle connection", after(healthy).idle(forgot),
			"unknown unknown low; open [path_idle_timeout server_restarted]"},
		{"idle connections are forgotten at one age", after(healthy).idle(forgot, forgot),
			"path_idle_timeout path medium; not server_restarted"},
		{"the request crosses the close", after(healthy).idle(idleFor(time.Minute, true, result.TCPClosed)),
			"keepalive_race server medium"},
		{"the request crosses a live reset", after(healthy).idle(idleFor(time.Minute, true, result.TCPReset,
			rst(result.EndHost, true))),
			"keepalive_race server medium"},
		{"a reset of nobody knows whom on an idle connection", after(healthy).idle(unseen),
			"unknown unknown low; open [server_idle_timeout path_idle_timeout keepalive_race]"},
		{"two such resets", after(healthy).idle(unseen, unseen),
			"unknown unknown low; open [server_idle_timeout path_idle_timeout keepalive_race]"},
		{"idle connections are reset while idle, by nobody knows whom",
			after(healthy).idle(idleFor(30*time.Second, false, result.TCPReset),
				idleFor(30*time.Second, false, result.TCPReset)),
			"unknown unknown low; open [server_idle_timeout path_idle_timeout keepalive_race]"},
		{"idle connections are reset while idle, by a socket",
			after(healthy).idle(idleFor(30*time.Second, false, result.TCPReset, rst(result.EndHost, true)),
				idleFor(30*time.Second, false, result.TCPReset, rst(result.EndHost, true))),
			"server_idle_timeout server medium"},
		{"an idle connection ended in order, as measured", measured(after(healthy).idle(fin), lifetime.FIN),
			"server_idle_timeout server medium"},
		{"idle connections ended in order, as measured", measured(after(healthy).idle(fin, fin), lifetime.FIN),
			"server_idle_timeout server high"},
		{"an idle connection ended in order, sooner than measured",
			measured(after(healthy).idle(idleFor(time.Second, false, result.TCPClosed)), lifetime.FIN),
			"none"},
		{"silence on an idle connection, as measured", measured(after(healthy).idle(silent), lifetime.Silence),
			"path_idle_timeout path high"},
		{"a reset of nobody knows whom, at an age that only NATs and their like have",
			measured(after(healthy).idle(idleFor(352*time.Second, true, result.TCPReset)), lifetime.RST),
			"path_idle_timeout path medium; open [server_idle_timeout keepalive_race]"},
		{"the same, sooner", measured(after(healthy).idle(unseen), lifetime.RST),
			"unknown unknown low; open [server_idle_timeout path_idle_timeout keepalive_race]"},
		{"an idle connection is forgotten, as measured", measured(after(healthy).idle(func() IdleConn {
			k := forgot
			k.Idle = 352 * time.Second
			return k
		}()), lifetime.RST),
			"path_idle_timeout path medium; not server_restarted"},
		{"idle connections are forgotten, as measured", measured(after(healthy).idle(func() (all []IdleConn) {
			k := forgot
			k.Idle = 352 * time.Second
			return []IdleConn{k, k}
		}()...), lifetime.RST),
			"path_idle_timeout path high; not server_restarted"},
		{"the request crosses the close, as measured",
			measured(after(healthy).idle(idleFor(time.Minute, true, result.TCPClosed)), lifetime.FIN),
			"keepalive_race server medium"},
		{"the request crosses the close, and silence is measured",
			measured(after(healthy).idle(idleFor(time.Minute, true, result.TCPClosed)), lifetime.Silence),
			"keepalive_race server medium"},
		{"a lifetime is measured, and nothing fails", measured(after(healthy), lifetime.Silence), "none"},
		{"an idle connection hangs", after(healthy).idle(idleFor(time.Minute, true, result.HTTPResponseTimedOut)),
			"unknown unknown low"},
		{"idle connections fail, fresh ones too: the fresh one is explained",
			after(n(2, seen(resetBare, nearer))).idle(silent),
			"firewall_reject path high; not request_rejected server_aborts transient"},
		{"idle connections fail, fresh ones did once", after(healthy, n(1, resetBare), n(1, worked(1))).idle(silent),
			"path_idle_timeout path medium; not request_rejected; open [transient firewall_reject server_aborts]"},
		{"idle connections are served, new ones are closed", after(healthy, n(2, closedFIN)).idle(served),
			"connection_limit server medium; not firewall_reject request_rejected transient; open [server_aborts]"},
		{"idle connections are served, new ones are always closed", after(healthy, n(3, closedFIN)).idle(served),
			"connection_limit server medium; not firewall_reject request_rejected transient; open [server_aborts]"},
		{"idle connections are served, new ones are closed once", after(healthy, n(1, closedFIN)).idle(served),
			"unknown server low; not firewall_reject request_rejected; open [server_aborts transient]"},
		{"idle connections are served, new handshakes are ended",
			after(healthy, n(2, failed(result.TLS, result.TCPClosed, result.Peer))).idle(served),
			"server_aborts server medium; not transient; open [client_hello_rejected]"},
		{"idle connections are served, new ones hang", after(healthy, n(2, hangs)).idle(served),
			"server_unresponsive server medium; not transient; open [pmtu_black_hole]"},
		{"idle connections are served, new ones are reset by nobody knows whom",
			after(healthy, n(2, resetBare)).idle(served),
			"unknown unknown low; not request_rejected transient; open [firewall_reject server_aborts]"},
	}
}

// measured is evidence with a lifetime of idle connections: resets as of AWS's load balancers, or 28 s to 30 s.
func measured(e Evidence, end lifetime.End) Evidence {
	e.Lifetime = lifetime.Search{Survived: 28500 * time.Millisecond, Died: 30 * time.Second, End: end}
	if end == lifetime.RST {
		e.Lifetime = lifetime.Search{Survived: 345 * time.Second, Died: 355 * time.Second, End: end}
	}
	return e
}
