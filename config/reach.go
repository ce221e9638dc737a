package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

const maxAttempts = 10

func retryKeys(r *module.Retry) map[string]key {
	return map[string]key{
		"attempts": checked(&r.Attempts, func(n int) error {
			if n < 1 || n > maxAttempts {
				return errors.New("is out of range, want 1 to 10")
			}
			return nil
		}),
		"initial_backoff": duration(&r.InitialBackoff),
		"max_backoff":     duration(&r.MaxBackoff),
	}
}

// readRetry reads retry. What is not given keeps its default.
func (h *httpKeys) readRetry(node *yaml.Node) error {
	if err := h.place.mapping(node, "retry", retryKeys(&h.Retry)); err != nil {
		return placedError{err}
	}
	if h.Retry.InitialBackoff > h.Retry.MaxBackoff {
		return errors.New("initial_backoff is longer than max_backoff, want it no longer")
	}
	return nil
}

// maxDiagnoses bounds the rounds of experiments in an hour.
const maxDiagnoses = 60

// readDiagnose reads diagnose: {on_failure, max_per_hour, closed_port, never_routed}. What is not given keeps its
// default.
func (h *httpKeys) readDiagnose(node *yaml.Node) error {
	err := h.place.mapping(node, "diagnose", map[string]key{
		"on_failure":   into(&h.Diagnose.OnFailure),
		"closed_port":  into(&h.Diagnose.ClosedPort),
		"never_routed": into(&h.Diagnose.NeverRouted),
		"max_per_hour": checked(&h.Diagnose.MaxPerHour, func(n int) error {
			if n < 1 || n > maxDiagnoses {
				return fmt.Errorf("is out of range, want 1 to %d", maxDiagnoses)
			}
			return nil
		}),
	})
	if err != nil {
		return placedError{err}
	}
	return nil
}

// Bounds of keepalive.
const (
	maxAges     = 10
	shortestAge = time.Second
	longestAge  = 24 * time.Hour
)

// defaultMeasured is up to which age the lifetime of idle connections is measured: longer than clients' pools keep
// them, and than all known timeouts but a few.
const defaultMeasured = 15 * time.Minute

// readKeepalive reads keepalive: {idle: [30s, 5m], measure: true, max: 15m}.
func (h *httpKeys) readKeepalive(node *yaml.Node) error {
	measure, most := false, defaultMeasured
	err := h.place.mapping(node, "keepalive", map[string]key{
		"idle":    h.readAges,
		"measure": into(&measure),
		"max": func(value *yaml.Node) error {
			if err := duration(&most)(value); err != nil {
				return err
			}
			if most < shortestAge || most > longestAge {
				return errors.New("is out of range, want 1s to 24h")
			}
			return nil
		},
	})
	if err != nil {
		return placedError{err}
	}
	if measure {
		h.KeepaliveMax = most
	}
	return nil
}

func (h *httpKeys) readAges(node *yaml.Node) error {
	if node.Kind != yaml.SequenceNode || len(node.Content) > maxAges {
		return fmt.Errorf("want a list of at most %d durations such as [30s, 5m]", maxAges)
	}
	var ages []time.Duration
	for _, item := range node.Content {
		var age time.Duration
		if err := duration(&age)(resolved(item)); err != nil {
			return fmt.Errorf("the item%s: %w", quoted(item), err)
		}
		if age < shortestAge || age > longestAge {
			return fmt.Errorf("the item%s is out of range, want 1s to 24h", quoted(item))
		}
		ages = append(ages, age)
	}
	slices.Sort(ages)
	h.Keepalive = slices.Compact(ages)
	return nil
}

// choice reads one of two words; the second is true.
func choice(to *bool, no, yes string) key {
	return func(value *yaml.Node) error {
		if value.Kind != yaml.ScalarNode || value.Value != no && value.Value != yes {
			return fmt.Errorf("want %s or %s", no, yes)
		}
		*to = value.Value == yes
		return nil
	}
}

// maxServers bounds the servers of a resolver.
const maxServers = 8

// readResolver reads resolver: {servers, protocol, compare_with}.
func (h *httpKeys) readResolver(node *yaml.Node) error {
	if isNull(node) {
		return nil
	}
	r := &module.Resolver{Protocol: "udp"}
	err := h.place.mapping(node, "resolver", map[string]key{
		"servers":      into(&r.Servers),
		"protocol":     checked(&r.Protocol, checkProtocol),
		"compare_with": choice(&r.CompareSystem, "none", "system"),
	})
	if err != nil {
		return placedError{err}
	}
	if len(r.Servers) == 0 || len(r.Servers) > maxServers {
		return fmt.Errorf("servers: want 1 to %d of them such as [10.0.0.2:53]", maxServers)
	}
	for i, server := range r.Servers {
		if r.Servers[i], err = serverAddress(server, r.Protocol); err != nil {
			return err
		}
	}
	h.Resolver = r
	return nil
}

func checkProtocol(protocol string) error {
	if !slices.Contains([]string{"udp", "tcp", "tls", "https"}, protocol) {
		return errors.New("want udp, tcp, tls or https")
	}
	return nil
}

// serverAddress checks a server, and adds its port where that is missing.
func serverAddress(server, protocol string) (string, error) {
	if protocol == "https" {
		u, err := url.Parse(server)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return "", fmt.Errorf("the server %q is no URL, want one such as https://dns.example.com/dns-query",
				module.WithoutSecrets(server))
		}
		if err := module.CheckEndpoint(u); err != nil {
			return "", fmt.Errorf("the server %q: %w", module.WithoutSecrets(server), err)
		}
		return server, nil
	}
	port := "53"
	if protocol == "tls" {
		port = "853"
	}
	host, given, err := net.SplitHostPort(server)
	if err != nil {
		host, given = strings.Trim(server, "[]"), port
	}
	if n, err := strconv.ParseUint(given, 10, 16); err != nil || n == 0 || host == "" ||
		strings.ContainsAny(host, "/ @") {
		return "", fmt.Errorf("the server %q is no address, want one such as 10.0.0.2:53",
			module.WithoutSecrets(server))
	}
	if host, err = module.ResolvableHost(host); err != nil {
		return "", fmt.Errorf("the server %q: %w", module.WithoutSecrets(server), err)
	}
	return net.JoinHostPort(host, given), nil
}
