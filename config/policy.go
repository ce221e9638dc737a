package config

import (
	"errors"
	"fmt"
	"net/netip"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// Policy bounds what the exporter may be asked to do.
type Policy struct {
	module.Networks
	ConfiguredOnly bool // /probe?target= takes nothing but the names of configured targets
	MaxConcurrent  int  // in-flight probes; further ones wait for a slot
}

// defaultMaxConcurrent is enough for every target of a large configuration to stall at once.
const defaultMaxConcurrent = 1000

// DefaultPolicy is what probe_policy is without a key.
func DefaultPolicy() Policy {
	return Policy{MaxConcurrent: defaultMaxConcurrent, Networks: module.DefaultNetworks()}
}

func (l *Policy) keys() map[string]key {
	return map[string]key{
		"targets":        choice(&l.ConfiguredOnly, "any", "configured"),
		"deny_networks":  l.readDenyNetworks,
		"nat64_prefixes": l.readNAT64Prefixes,
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
			return fmt.Errorf("the item %q is no network, want one such as 10.0.0.0/8 or fd00::/8",
				module.Shortened(text))
		}
		l.DenyNetworks = append(l.DenyNetworks, network)
	}
	return nil
}

func (l *Policy) readNAT64Prefixes(node *yaml.Node) error {
	var texts []string
	if err := into(&texts)(node); err != nil {
		return err
	}
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil || !prefix.Addr().Is6() || prefix.Addr().Is4In6() || !module.HasIPv4Place(prefix.Bits()) {
			return fmt.Errorf("the item %q is not a NAT64 prefix, want an IPv6 one of 32, 40, 48, 56, 64 or 96 bits "+
				"such as 2001:db8:64::/96", module.Shortened(text))
		}
		l.NAT64Prefixes = append(l.NAT64Prefixes, prefix.Masked())
	}
	return nil
}

// parseNetwork reads a network, or an address that stands for itself alone. A network of IPv4-mapped addresses is the
// IPv4 network.
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
