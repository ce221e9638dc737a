package config

import (
	"errors"
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
