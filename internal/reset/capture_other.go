//go:build !linux

package reset

import (
	"errors"

	"errno_exporter/guard"
)

// Open fails: packet sockets are available on Linux only.
func Open(guard.Report) (*Capture, error) {
	return nil, errors.New("resets are captured on Linux only")
}

// Close ends the capture.
func (c *Capture) Close() { c.source.close() }

// SeeFINs does nothing: there is no capture.
func (*Capture) SeeFINs() error { return nil }
