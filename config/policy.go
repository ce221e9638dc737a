package config

import (
	"errors"
	"fmt"
	"net/netip"

	"gopkg.in/yaml.v3"
)

// Policy bounds what the exporter may be asked to do.
type Policy struct {
	ConfiguredOnly bool           // /probe?target= takes nothing but the names of configured targets
	DenyNetworks   []netip.Prefix // where no asked target and no redirect may lead
	MaxConcurrent  int            // probes under way at once; further ones wait for their turn
}

// defaultMaxConcurrent is enough for every target of a large configuration to stall at once.
const defaultMaxConcurrent = 1000

// DefaultPolicy denies the networks in which clouds answer a machine's own questions about itself, credentials among them.
func DefaultPolicy() Policy {
	return Policy{MaxConcurrent: defaultMaxConcurrent, DenyNetworks: []netip.Prefix{
		netip.MustParsePrefix("169.254.0.0/16"),     // link-local, RFC 3927: the metadata of AWS, Azure, Google, Oracle and others
		netip.MustParsePrefix("fe80::/10"),          // link-local, RFC 4291
		netip.MustParsePrefix("fd00:ec2::/32"),      // AWS: metadata, time, names
		netip.MustParsePrefix("fd20:ce::254/128"),   // Google: metadata
		netip.MustParsePrefix("100.100.100.200/32"), // Alibaba: metadata
		netip.MustParsePrefix("168.63.129.16/32"),   // Azure: the machine's agent
		netip.MustParsePrefix("192.0.0.192/32"),     // Oracle: metadata of older machines
	}}
}

func (l *Policy) keys() map[string]key {
	return map[string]key{
		"targets":       choice(&l.ConfiguredOnly, "any", "configured"),
		"deny_networks": l.readDenyNetworks,
		"max_concurrent": checked(&l.MaxConcurrent, func(n int) error {
			if n < 1 || n > 100_000 {
				return errors.New("is out of range, want 1 to 100000")
			}
			return nil
		}),
	}
}

func (l *Policy) readDenyNetworks(node *yaml.Node) error {
	var texts []string
	if err := into(&texts)(node); err != nil {
		return err
	}
	l.DenyNetworks = []netip.Prefix{}
	for _, text := range texts {
		network, err := parseNetwork(text)
		if err != nil {
			return fmt.Errorf("the item %q is no network, want one such as 10.0.0.0/8 or fd00::/8", shortened(text))
		}
		l.DenyNetworks = append(l.DenyNetworks, network)
	}
	return nil
}

// parseNetwork reads a network, or an address that stands for itself alone. A network of IPv4-mapped addresses is the IPv4 network.
func parseNetwork(text string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, errors.New("not a network")
		}
		network = netip.PrefixFrom(addr, addr.BitLen())
	}
	if addr := network.Addr(); addr.Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
	}
	return network.Masked(), nil
}

// Denies returns the network by which an address is denied, and whether it is.
func (l *Policy) Denies(addr netip.Addr) (netip.Prefix, bool) {
	for _, meant := range meanings(addr) {
		for _, network := range l.DenyNetworks {
			if network.Contains(meant) {
				return network, true
			}
		}
	}
	return netip.Prefix{}, false
}

// meanings are the addresses at which a packet to an address may arrive: itself, without its zone, and the IPv4 address inside it.
func meanings(addr netip.Addr) []netip.Addr {
	addr = addr.Unmap().WithZone("")
	all := []netip.Addr{addr}
	if addr.IsUnspecified() { // Linux connects to this host
		return append(all, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
	}
	if !addr.Is6() {
		return all
	}
	b := addr.As16()
	inside := func(at int) { all = append(all, netip.AddrFrom4([4]byte(b[at:at+4]))) }
	last := [4]byte(b[12:])
	switch {
	case compatible.Contains(addr), nat64.Contains(addr), localNAT64.Contains(addr):
		inside(12)
	case sixToFour.Contains(addr):
		inside(2)
	case teredo.Contains(addr):
		inside(4) // the server
		all = append(all, netip.AddrFrom4([4]byte{^last[0], ^last[1], ^last[2], ^last[3]}))
	case b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, RFC 5214 section 6.1
		inside(12)
	}
	return all
}

// Networks whose addresses have an IPv4 address inside.
var (
	compatible = netip.MustParsePrefix("::/96")          // RFC 4291 section 2.5.5.1
	nat64      = netip.MustParsePrefix("64:ff9b::/96")   // RFC 6052 section 2.1
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215
	sixToFour  = netip.MustParsePrefix("2002::/16")      // RFC 3056 section 2
	teredo     = netip.MustParsePrefix("2001::/32")      // RFC 4380 section 4
)
