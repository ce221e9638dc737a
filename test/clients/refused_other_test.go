//go:build !linux

package clients

import "testing"

// refusals are counted on Linux, by a capture.
type refusals struct{}

func capture(*testing.T) refusals { return refusals{} }

func (refusals) check(*testing.T, *program) func() { return func() {} }

func (refusals) compare(*testing.T) {}
