//go:build !linux

package observe

import "errors"

// Observer watches connections, on Linux only.
type Observer struct {
	targets *targets
	health  Health
}

// Open fails: the connections of other processes are reported on Linux only.
func Open(Options) (*Observer, error) {
	return nil, errors.New("the application's connections are observed on Linux only; everything else works")
}

// Close ends the observer.
func (o *Observer) Close() {}
