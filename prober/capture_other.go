//go:build !linux

package prober

import "errors"

// OpenCapture fails: packet sockets are Linux's.
func OpenCapture() (*Capture, error) { return nil, errors.New("resets are captured on Linux only") }

// Close ends the capture.
func (c *Capture) Close() { c.source.close() }
