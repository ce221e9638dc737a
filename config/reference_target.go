package config

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// ReferenceTarget is reachable while egress works. Whether it is distinguishes the failure of an API from that of our
// own network.
type ReferenceTarget struct {
	Name    string // the label control; unique
	Address string // host:port, to connect to by TCP
	Kind    string // "gateway", "resolver" or "network"
}

// maxReferenceTargets bounds them: each is connected to for every scrape.
const maxReferenceTargets = 16

// readReferenceTargets reads control_targets: [{name, address, kind}].
func (c *Config) readReferenceTargets(p place, node *yaml.Node) error {
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.SequenceNode || len(node.Content) > maxReferenceTargets {
		return fmt.Errorf("want a list of at most %d, each {name, address, kind}", maxReferenceTargets)
	}
	var problems []error
	seen := map[string]bool{}
	for i, item := range node.Content {
		item = resolved(item)
		t := &ReferenceTarget{Kind: "network"}
		place := p.within("reference target %s: ", targetTitle(item, i))
		err := place.mapping(item, "the reference target", t.keys())
		switch {
		case err != nil:
		case t.Name == "" || t.Address == "":
			err = placedError{place.errorAt(item, "name or address is missing, want both, such as {name: gateway, "+
				"address: 10.0.0.1:443, kind: gateway}")}
		case seen[t.Name]:
			err = placedError{place.errorAt(item, "is duplicated: give each its own name")}
		}
		seen[t.Name] = true
		problems = append(problems, err)
		c.ReferenceTargets = append(c.ReferenceTargets, t)
	}
	return joined(problems)
}

// keys are the keys of a reference target, each with its reader.
func (t *ReferenceTarget) keys() map[string]key {
	return map[string]key{
		"name":    checked(&t.Name, checkName),
		"address": checked(&t.Address, checkAddress),
		"kind": checked(&t.Kind, func(kind string) error {
			if kind != "gateway" && kind != "resolver" && kind != "network" {
				return errors.New("want gateway, resolver or network")
			}
			return nil
		}),
	}
}

func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if n, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || n == 0 || host == "" {
		return errors.New("is no address, want one such as 10.0.0.1:443")
	}
	_, err = module.ResolvableHost(host)
	return err
}
