package store

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isFull reports whether a disk is full.
func isFull(err error) bool { return errors.Is(err, windows.ERROR_DISK_FULL) }

func isReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }
