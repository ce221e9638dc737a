package cause

import (
	"slices"
	"time"

	"errno_exporter/prober/result"
)

// Facts of ICMP messages: what routers and hosts answered to our SYN.

// icmp notes what routers said.
func (s *scene) icmp(k *known) {
	s.icmpToProxy(k)
	o, alike := s.told(k)
	if o == nil {
		return
	}
	i, f, limited := o.ICMP, o.failure(), ""
	if o != s.o {
		limited = ", at " + clock(o.At) + "; later SYNs got no answer: senders limit how many such messages they send"
	}
	refused, noUDP := f.Reason == result.TCPRefused, f.Reason == result.QUICRefused
	unreached := slices.Contains([]result.Reason{result.TCPAddressUnreachable, result.QUICAddressUnreachable}, f.Reason)
	port := portUnreachable(i)
	k.note(icmpEarlier, o != s.o, "an earlier attempt was answered by ICMP from %s, at %s", i.From, clock(o.At))
	k.note(icmpRule, prohibits(i) && i.From != o.Addr, "ICMP type %d code %d from %s: a rule forbids it%s", i.Type, i.Code,
		i.From, limited)
	k.note(icmpHostRule, prohibits(i) && i.From == o.Addr, "ICMP type %d code %d from the server's own address %s: a "+
		"rule of its host forbids it%s", i.Type, i.Code, i.From, limited)
	k.note(icmpHostUDP, noUDP && port && i.From == o.Addr && o == s.o,
		"ICMP port unreachable from the server's own address %s: nothing listens there", i.From)
	k.note(icmpHost, refused && port && i.From == o.Addr, "ICMP port unreachable from the server's own address %s%s",
		i.From, limited)
	k.note(icmpOther, refused && port && i.From != o.Addr, "ICMP port unreachable from %s, which is not the server%s",
		i.From, limited)
	scope := i.From.Is6() && i.Type == 1 && i.Code == 2 // RFC 4443 section 3.1
	k.note(icmpScope, scope && unreached, "ICMP type 1 code 2 from %s: what this host sends from is not valid beyond its "+
		"own link, as link-local addresses are: it has no other IPv6 address for this%s", i.From, limited)
	route := unreached && f.Origin != result.Local && !port && !scope && !prohibits(i)
	lastHop := hostUnreachable(i) && s.waited()
	k.note(icmpRoute, route && i.From != o.Addr && !lastHop, "ICMP type %d code %d from %s%s", i.Type, i.Code, i.From,
		limited)
	k.note(icmpLastHop, route && i.From != o.Addr && lastHop, "ICMP type %d code %d from %s, and not at once: that "+
		"router is the last one, and the host does not answer it%s", i.Type, i.Code, i.From, limited)
	k.note(icmpNoHost, route && i.From == o.Addr, "ICMP type %d code %d from the server's own address %s: its host has "+
		"no route to what serves the port%s", i.Type, i.Code, i.From, limited)
	k.note(icmpSure, o == s.o, "%s", k[fails])
	k.note(icmpSure, o != s.o && alike >= 2, "%d attempts were answered so", alike)
	k.note(icmpTwice, k.has(timesTwice) && k.has(icmpSure), "%s", k[timesTwice])
}

// icmpToProxy notes what routers said of the way to the proxy. That its host is not found, on the last link, is the
// proxy's own failure.
func (s *scene) icmpToProxy(k *known) {
	i := s.o.ICMP
	if i == nil || !k.has(wordProxyDial) || s.f.Origin == result.Local || i.From == s.o.Addr || portUnreachable(i) {
		return
	}
	k.note(icmpProxyRule, prohibits(i), "ICMP type %d code %d from %s, on the way to the proxy: a rule forbids it",
		i.Type, i.Code, i.From)
	k.note(icmpProxyRoute, !prohibits(i) && !(hostUnreachable(i) && s.waited()),
		"ICMP type %d code %d from %s, on the way to the proxy", i.Type, i.Code, i.From)
}

// told is the attempt whose ICMP message explains the failure, and how many of this run had the same: the failed one
// or, where it got no answer at all, the newest before it that had one, with nothing but silence since. Routers and
// hosts limit how many such messages they send (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4), and the rest of the
// SYNs gets none. Linux has one budget for each client: where it has no route, a client that sends more than a SYN in a
// second is not answered at all (net/ipv4/route.c, ip_error; net/ipv4/icmp.c, icmpv4_xrlim_allow).
func (s *scene) told(k *known) (o *Digest, alike int) {
	for i := s.at; i > s.at-max(1, s.run); i-- {
		d := &s.Recent[i]
		f := d.failure()
		switch {
		case f.Phase != result.Connect || s.o.At.Sub(d.At) > experimentsAge:
			return o, alike
		case d.Addr != s.o.Addr:
		case d.ICMP == nil && f.Reason != s.o.failure().Reason && o == nil:
			return nil, 0
		case d.ICMP == nil:
		case o == nil && (i == s.at || k.has(wordUnanswered) && f.Origin == result.Path):
			o, alike = d, 1
		case o != nil && *d.ICMP == *o.ICMP:
			alike++
		}
	}
	return o, alike
}

// asksNeighbours is how long a router at least asks its link for a host before it gives up: a second for each question
// (RFC 4861 section 10; Linux asks three times). One that has no route answers at once.
const asksNeighbours = 500 * time.Millisecond

// waited reports whether connecting took so long in a try of this run that was answered by ICMP, less the time for
// which the exporter was late.
func (s *scene) waited() bool {
	for i := s.at; i > s.at-max(1, s.run); i-- {
		if o := &s.Recent[i]; o.ICMP != nil && o.Connecting-o.Late >= asksNeighbours {
			return true
		}
	}
	return false
}

// portUnreachable reports whether an ICMP message says that nothing serves the port, or is made to say so by a rule.
func portUnreachable(i *result.ICMP) bool {
	return i.From.Is4() && i.Type == 3 && i.Code == 3 || i.From.Is6() && i.Type == 1 && i.Code == 4
}

// hostUnreachable reports whether a router says that it does not find the host: on its own link (RFC 1812 section
// 5.2.7.1, RFC 4443 section 3.1), and with many routers where it has no route.
func hostUnreachable(i *result.ICMP) bool {
	return i.From.Is4() && i.Type == 3 && i.Code == 1 || i.From.Is6() && i.Type == 1 && i.Code == 3
}

// prohibits reports whether an ICMP message says that a rule forbids the packet (RFC 1812 section 5.2.7.1, RFC 4443
// section 3.1). That TCP itself is not known (RFC 1122 section 3.2.2.1) is what rules answer, and no server of HTTP.
func prohibits(i *result.ICMP) bool {
	if i.From.Is4() {
		return i.Type == 3 && slices.Contains([]uint8{2, 9, 10, 13}, i.Code)
	}
	return i.Type == 1 && slices.Contains([]uint8{1, 5, 6}, i.Code)
}
