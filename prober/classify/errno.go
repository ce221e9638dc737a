package classify

import (
	"errors"
	"syscall"
)

// ErrnoOf is the errno in an error's chain; 0 if there is none.
func ErrnoOf(err error) syscall.Errno {
	errno, _ := Errno(err)
	return errno
}

// Errno finds the errno in an error's chain.
func Errno(err error) (syscall.Errno, bool) {
	errno, ok := errors.AsType[syscall.Errno](err)
	return portable(errno), ok
}
