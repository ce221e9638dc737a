package config

import "net/netip"

// Networks bounds which addresses may be dialled.
type Networks struct {
	DenyNetworks  []netip.Prefix // where no target of /probe and no redirect may lead
	NAT64Prefixes []netip.Prefix // of this network's translators: an address in one of them also counts as the IPv4 address in it
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
