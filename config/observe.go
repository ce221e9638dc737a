package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// Observe says how the connections of the other processes of this network namespace are observed. It is never changed
// after Load.
type Observe struct {
	Interval time.Duration  // between two dumps of the kernel's sockets
	Networks []netip.Prefix // observed beside the targets, each under its own notation
}

const (
	defaultObserveInterval = 5 * time.Second
	minObserveInterval     = time.Second
	maxObserveInterval     = time.Minute
	maxObservedNetworks    = 16 // each has the series of a target
)

// readObserve reads observe: true, false, or a mapping of its keys, which is true.
func (c *Config) readObserve(p place, node *yaml.Node) error {
	node = resolved(node)
	o := &Observe{Interval: defaultObserveInterval}
	if node.Kind != yaml.MappingNode {
		on := false
		if isNull(node) || into(&on)(node) != nil {
			return errors.New("want true, false, or a mapping of the keys interval and networks")
		}
		if on {
			c.Observe = o
		}
		return nil
	}
	if err := p.mapping(node, "observe", o.keys()); err != nil {
		return err
	}
	c.Observe = o
	return nil
}

// keys are the keys under observe, each with its reader.
func (o *Observe) keys() map[string]key {
	return map[string]key{
		"interval": func(value *yaml.Node) error {
			if err := duration(&o.Interval)(value); err != nil {
				return err
			}
			if o.Interval < minObserveInterval || o.Interval > maxObserveInterval {
				return fmt.Errorf("is out of range, want %s to %s", minObserveInterval, maxObserveInterval)
			}
			return nil
		},
		"networks": o.readNetworks,
	}
}

func (o *Observe) readNetworks(node *yaml.Node) error {
	var texts []string
	if err := into(&texts)(node); err != nil {
		return err
	}
	if len(texts) > maxObservedNetworks {
		return fmt.Errorf("has %d items, want at most %d", len(texts), maxObservedNetworks)
	}
	for _, text := range texts {
		network, err := parseNetwork(text)
		switch {
		case err != nil:
			return fmt.Errorf("the item %q is no network, want one such as 10.0.0.0/8 or fd00::/8",
				module.Shortened(text))
		case slices.Contains(o.Networks, network):
			return fmt.Errorf("the item %q is duplicated: remove one", module.Shortened(text))
		}
		o.Networks = append(o.Networks, network)
	}
	return nil
}

// checkObserved refuses a target that has the name of an observed network: both would be the same value of the label
// target.
func (c *Config) checkObserved(p place, root *yaml.Node) error {
	if c.Observe == nil {
		return nil
	}
	for _, t := range c.Targets {
		if slices.ContainsFunc(c.Observe.Networks, func(n netip.Prefix) bool { return n.String() == t.Name }) {
			return p.errorAt(root, "target %q has the name of a network of observe: give it another", t.Name)
		}
	}
	return nil
}
