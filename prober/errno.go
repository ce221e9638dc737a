package prober

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// errnos is the closed list of values of the errno label. ETIMEDOUT is only ever the kernel's: our own deadline has none.
var errnos = []syscall.Errno{
	unix.ECONNREFUSED, unix.ECONNRESET, unix.EPIPE, unix.ETIMEDOUT, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN,
	unix.ENETDOWN, unix.EACCES, unix.EPERM, unix.EADDRNOTAVAIL, unix.EADDRINUSE, unix.EMFILE, unix.ENFILE, unix.ENOBUFS,
	unix.ENOMEM, unix.EINVAL, unix.ENOPROTOOPT, unix.EPROTO, unix.EMSGSIZE,
}

// ErrnoName is the symbolic name of an errno as the errno label shows it: "" for none, "OTHER" outside the closed list.
func ErrnoName(e syscall.Errno) string {
	if e == 0 {
		return ""
	}
	for _, known := range errnos {
		if e == known {
			return unix.ErrnoName(e)
		}
	}
	return "OTHER"
}

// errnoOf finds the errno in an error's chain.
func errnoOf(err error) (syscall.Errno, bool) { return errors.AsType[syscall.Errno](err) }
