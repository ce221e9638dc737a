//go:build !linux

package socket

// Lookout does nothing on this system: no arrival is timestamped.
type Lookout struct{}

// NewLookout returns nothing on this system.
func NewLookout() *Lookout { return nil }

// Look does nothing.
func (*Lookout) Look() {}
