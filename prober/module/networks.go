package module

import (
	"net/netip"
)

// Networks bounds which addresses may be dialled.
type Networks struct {
	DenyNetworks []netip.Prefix // where no target of /probe and no redirect may lead
	// of this network's translators: an address in one of them also counts as the IPv4 address in it
	NAT64Prefixes []netip.Prefix
}

// DefaultNetworks denies the networks in which clouds answer a machine's own questions about itself, credentials among
// them.
func DefaultNetworks() Networks {
	return Networks{DenyNetworks: []netip.Prefix{
		// link-local, RFC 3927: the metadata of AWS, Azure, Google, Oracle and others
		netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("fe80::/10"),              // link-local, RFC 4291
		netip.MustParsePrefix("fd00:ec2::/32"),          // AWS: metadata, time, names
		netip.MustParsePrefix("fd20:ce::254/128"),       // Google: metadata
		netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle: metadata
		netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway: metadata
		netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"),  // Akamai (Linode): metadata
		netip.MustParsePrefix("fd00:100::100:200/128"),  // Alibaba: metadata
		netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba: metadata
		netip.MustParsePrefix("168.63.129.16/32"),       // Azure: the machine's agent
		netip.MustParsePrefix("192.0.0.192/32"),         // Oracle: metadata of older machines
	}}
}

// Denies returns the network by which an address is denied, and whether it is.
func (l *Networks) Denies(addr netip.Addr) (netip.Prefix, bool) {
	for _, meant := range destinations(addr, l.NAT64Prefixes) {
		for _, network := range l.DenyNetworks {
			if network.Contains(meant) {
				return network, true
			}
		}
	}
	return netip.Prefix{}, false
}

// offsets is where the four bytes of an IPv4 address are in an IPv6 address.
type offsets [4]int

// places are RFC 6052 section 2.2: the place of the IPv4 address by the length of the prefix. Byte 8 is not used.
var places = map[int]*offsets{32: {4, 5, 6, 7}, 40: {5, 6, 7, 9}, 48: {6, 7, 9, 10}, 56: {7, 9, 10, 11},
	64: {9, 10, 11, 12}, 96: {12, 13, 14, 15}}

// HasIPv4Place reports whether a prefix of so many bits can contain IPv4 addresses (RFC 6052 section 2.2).
func HasIPv4Place(bits int) bool { return places[bits] != nil }

// embedding is a form of IPv6 addresses that contain an IPv4 address.
type embedding struct {
	network netip.Prefix
	lengths []int // of prefixes within the network, whose places apply
	at      *offsets
	invert  byte // 0xff where the bits are inverted
}

// embeddings are all forms that can be told from the address alone. 6over4 (RFC 2529), 6rd (RFC 5969) and
// network-specific NAT64 prefixes cannot: their prefixes are the network's own.
var embeddings = []embedding{
	// IPv4-compatible, RFC 4291 section 2.5.5.1
	{network: netip.MustParsePrefix("::/96"), at: places[96]},
	// IPv4-translated (SIIT), RFC 2765 section 2.1
	{network: netip.MustParsePrefix("::ffff:0:0:0/96"), at: places[96]},
	// the well-known prefix, RFC 6052 section 2.1
	{network: netip.MustParsePrefix("64:ff9b::/96"), at: places[96]},
	// in case somebody uses it with another length
	{network: netip.MustParsePrefix("64:ff9b::/32"), lengths: []int{32, 40, 48, 56, 64, 96}},
	// for local use, with any length: RFC 8215 section 4
	{network: netip.MustParsePrefix("64:ff9b:1::/48"), lengths: []int{48, 56, 64, 96}},
	// 6to4, RFC 3056 section 2
	{network: netip.MustParsePrefix("2002::/16"), at: &offsets{2, 3, 4, 5}},
	// Teredo's server, RFC 4380 section 4
	{network: netip.MustParsePrefix("2001::/32"), at: &offsets{4, 5, 6, 7}},
	{network: netip.MustParsePrefix("2001::/32"), at: places[96], invert: 0xff}, // Teredo's client
}

// destinations are the addresses at which a packet to an address may arrive: itself, without its zone, and the IPv4
// addresses in it.
func destinations(addr netip.Addr, nat64 []netip.Prefix) []netip.Addr {
	addr = addr.Unmap().WithZone("")
	all := []netip.Addr{addr}
	if addr.Is6() {
		all = append(all, embedded(addr, nat64)...)
	}
	for _, one := range all {
		if one.IsUnspecified() { // Linux connects to this host
			return append(all, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
		}
	}
	return all
}

// embedded are the IPv4 addresses in an IPv6 address.
func embedded(addr netip.Addr, nat64 []netip.Prefix) []netip.Addr {
	var all []netip.Addr
	b := addr.As16()
	for _, e := range embeddings {
		if !e.network.Contains(addr) {
			continue
		}
		if e.at != nil {
			all = append(all, e.at.read(b, e.invert))
		}
		for _, length := range e.lengths {
			// not what another length's zeros give: 0.0.0.0/8 is no destination
			if inner := places[length].read(b, 0); inner.As4()[0] != 0 {
				all = append(all, inner)
			}
		}
	}
	if b[8]&^3 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP, in any prefix: RFC 5214 section 6.1
		all = append(all, places[96].read(b, 0))
	}
	for _, prefix := range nat64 {
		if prefix.Contains(addr) {
			all = append(all, places[prefix.Bits()].read(b, 0))
		}
	}
	return all
}

// read is the IPv4 address at a place.
func (p *offsets) read(b [16]byte, invert byte) netip.Addr {
	return netip.AddrFrom4([4]byte{b[p[0]] ^ invert, b[p[1]] ^ invert, b[p[2]] ^ invert, b[p[3]] ^ invert})
}
