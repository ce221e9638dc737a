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
