//go:build !windows

package store

import (
	"errors"
	"syscall"
)

// isFull reports whether a disk, a quota or a limit of files' sizes is full.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
