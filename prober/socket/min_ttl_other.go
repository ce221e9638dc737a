//go:build !linux

package socket

import (
	"errors"
	"net/netip"
)

// FiltersTTL reports whether the kernel drops segments of a connection by their TTL.
const FiltersTTL = false

func setMinTTL(int, string, uint8) error { return errors.ErrUnsupported }

func setMinTTLAndAbort(int, string, uint8) error { return errors.ErrUnsupported }

// DroppedByTTL is known on Linux only.
func DroppedByTTL() (uint64, bool) { return 0, false }

// LoopbackReceived is known on Linux only.
func LoopbackReceived() (uint64, bool) { return 0, false }

func ownTTL(int, netip.Addr) (int, error) { return 0, errors.ErrUnsupported }
