package cause

import (
	"net/netip"
	"syscall"

	"errno_exporter/prober/result"
)

// networks are situations that network namespaces showed: one family, packets that are lost, limits that refuse.
func networks() []situation {
	scope := failed(result.Connect, result.TCPAddressUnreachable, result.Path, icmp(router6, 1, 2), quickly)
	silent := failed(result.Connect, result.TCPTimedOut, result.Self)
	part := failed(result.Resolve, result.DNSTimedOut, result.Self, func(o *Digest) { o.Answered = true })
	asked := failed(result.Resolve, result.DNSTimedOut, result.Self)
	noResolver := failed(result.Resolve, result.DNSUnreachable, result.Path)
	noResolver.Failure.Errno = syscall.EHOSTUNREACH
	six := addresses("+192.0.2.1", "-2001:db8::2")
	host := reset(result.EndHost, 62, 62, false)
	again := worked(1, synAgain, sentTwice)
	data := worked(1, sentTwice)
	nowhere := failed(result.Connect, result.TCPAddressInvalid, result.Local)
	noProtocol := func(from netip.Addr) Digest {
		return failed(result.Connect, result.TCPFailed, result.Path, icmp(from, 3, 2), quickly)
	}
	return []situation{
		{"a router says that TCP is not known", after(n(1, noProtocol(router))),
			"firewall_reject path high"},
		{"the server's host says that TCP is not known", after(n(1, noProtocol(target))),
			"firewall_reject server high"},
		{"this host has a link-local IPv6 address only", after(n(1, scope)),
			"one_family_broken us medium; open [transient]"},
		{"this host has a link-local IPv6 address only, always", after(n(2, scope)),
			"one_family_broken us high; not transient"},
		{"this host had a link-local IPv6 address only", after(healthy, n(1, scope), n(1, worked(1))),
			"transient unknown medium; not one_family_broken"},
		{"this host has a link-local IPv6 address only, and IPv4 works",
			after(n(2, scope)).made("again- other_family+ again- other_family+ again-"),
			"one_family_broken us high; not transient"},
		{"IPv6 is refused by the server itself, always", after(n(3, seen(refused, six, host))),
			"one_family_broken server high; not one_bad_address transient"},
		{"IPv6 is refused from nearer, always", after(n(3, seen(refused, six, nearer))),
			"one_family_broken path high; not one_bad_address transient"},
		{"IPv6 is silent, always", after(n(3, seen(silent, six))),
			"one_family_broken path high; not one_bad_address transient"},
		{"SYNs had to be repeated, and as often other segments",
			after(n(4, worked(1)), n(2, again), n(1, data), n(2, unanswered)),
			"unknown unknown low; not transient; open [no_egress accept_queue_full firewall_drop path_outage]"},
		{"SYNs had to be repeated, and once another segment",
			after(n(4, worked(1)), n(3, again), n(1, data), n(2, unanswered)),
			"accept_queue_full server medium; not transient; open [no_egress firewall_drop path_outage]"},
		{"refused now and then, and nobody knows by whom", after(n(1, refused), n(1, worked(1)), n(1, refused)),
			"server_restarted server medium; not not_listening; open [firewall_reject transient]"},
		{"refused now and then, from nearer, and a closed port alike",
			after(n(1, seen(refused, nearer)), n(1, worked(1)), n(2, seen(refused, nearer))).closed(64),
			"unknown unknown low; not firewall_reject not_listening server_restarted transient"},
		{"the resolver answers a part, four times", after(n(4, part)),
			"dns_broken dns medium"},
		{"the resolver answers a part, five times", after(n(5, part)),
			"dns_broken dns high"},
		{"a router forbids the resolver, and then is silent", after(n(1, noResolver), n(2, asked)),
			"dns_broken unknown medium"},
		{"a router forbade the resolver, before another failure", after(n(1, noResolver), n(1, refused), n(1, asked)),
			"dns_broken dns medium"},
		{"a blackhole route of this host", after(n(2, nowhere)),
			"unknown us low; not transient"},
	}
}
