package config

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gopkg.in/yaml.v3"
)

// Retry says how often a failed attempt is repeated, and how long to wait before that.
type Retry struct {
	Attempts       int           // at most, the first one included
	InitialBackoff time.Duration // before the second attempt; it doubles before each further one
	MaxBackoff     time.Duration
}

const maxAttempts = 10

func (r *Retry) keys() map[string]key {
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
	if err := h.place.mapping(node, "retry", h.Retry.keys()); err != nil {
		return placedError{err}
	}
	if h.Retry.InitialBackoff > h.Retry.MaxBackoff {
		return errors.New("initial_backoff is longer than max_backoff, want it no longer")
	}
	return nil
}

// Bounds of keepalive.
const (
	maxAges     = 10
	shortestAge = time.Second
	longestAge  = 24 * time.Hour
)

// readKeepalive reads keepalive: {idle: [30s, 5m]}.
func (h *httpKeys) readKeepalive(node *yaml.Node) error {
	err := h.place.mapping(node, "keepalive", map[string]key{"idle": h.readAges})
	if err != nil {
		return placedError{err}
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
