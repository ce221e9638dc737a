package result

import (
	"syscall"
)

// errnos is the closed list of values of the errno label. ETIMEDOUT is only ever the kernel's: our own deadline has
// none.
var errnos = []struct {
	errno syscall.Errno
	name  string
}{
	{syscall.ECONNREFUSED, "ECONNREFUSED"},
	{syscall.ECONNRESET, "ECONNRESET"},
	{syscall.EPIPE, "EPIPE"},
	{syscall.ETIMEDOUT, "ETIMEDOUT"},
	{syscall.EHOSTUNREACH, "EHOSTUNREACH"},
	{syscall.ENETUNREACH, "ENETUNREACH"},
	{syscall.EHOSTDOWN, "EHOSTDOWN"},
	{syscall.ENETDOWN, "ENETDOWN"},
	{syscall.EACCES, "EACCES"},
	{syscall.EPERM, "EPERM"},
	{syscall.EADDRNOTAVAIL, "EADDRNOTAVAIL"},
	{syscall.EADDRINUSE, "EADDRINUSE"},
	{syscall.EMFILE, "EMFILE"},
	{syscall.ENFILE, "ENFILE"},
	{syscall.ENOBUFS, "ENOBUFS"},
	{syscall.ENOMEM, "ENOMEM"},
	{syscall.EINVAL, "EINVAL"},
	{syscall.ENOPROTOOPT, "ENOPROTOOPT"},
	{syscall.EPROTO, "EPROTO"},
	{syscall.EMSGSIZE, "EMSGSIZE"},
}

// ErrnoName is the symbolic name of an errno as the errno label shows it: "" for none, "OTHER" outside the closed list.
func ErrnoName(e syscall.Errno) string {
	if e == 0 {
		return ""
	}
	for _, known := range errnos {
		if e == known.errno {
			return known.name
		}
	}
	return "OTHER"
}
