//go:build !linux

package socket

import "errors"

// FiltersTTL reports whether the kernel drops segments of a connection by their TTL.
const FiltersTTL = false

func setMinTTL(int, string, uint8) error { return errors.ErrUnsupported }
