package classify

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// portable is an errno as package syscall names it, whose constants are numbers of Go's own on Windows: the system's
// calls fail with Winsock's (winerror.h), or with what overlapped calls make of them.
func portable(e syscall.Errno) syscall.Errno {
	switch e {
	case windows.WSAECONNREFUSED:
		return syscall.ECONNREFUSED
	case windows.WSAECONNRESET:
		return syscall.ECONNRESET
	case windows.WSAECONNABORTED:
		return syscall.ECONNABORTED
	case windows.WSAESHUTDOWN:
		return syscall.EPIPE
	case windows.WSAETIMEDOUT:
		return syscall.ETIMEDOUT
	case windows.WSAEHOSTUNREACH:
		return syscall.EHOSTUNREACH
	case windows.WSAENETUNREACH:
		return syscall.ENETUNREACH
	case windows.WSAEHOSTDOWN:
		return syscall.EHOSTDOWN
	case windows.WSAENETDOWN:
		return syscall.ENETDOWN
	case windows.WSAEACCES:
		return syscall.EACCES
	case windows.WSAEADDRNOTAVAIL:
		return syscall.EADDRNOTAVAIL
	case windows.WSAEADDRINUSE:
		return syscall.EADDRINUSE
	case windows.WSAEMFILE:
		return syscall.EMFILE
	case windows.WSAENOBUFS:
		return syscall.ENOBUFS
	case windows.WSAEINVAL:
		return syscall.EINVAL
	case windows.WSAENOPROTOOPT:
		return syscall.ENOPROTOOPT
	case windows.WSAEMSGSIZE:
		return syscall.EMSGSIZE
	case windows.ERROR_CONNECTION_REFUSED:
		return syscall.ECONNREFUSED
	case windows.ERROR_NETNAME_DELETED:
		return syscall.ECONNRESET
	case windows.ERROR_SEM_TIMEOUT:
		return syscall.ETIMEDOUT
	case windows.ERROR_HOST_UNREACHABLE:
		return syscall.EHOSTUNREACH
	case windows.ERROR_NETWORK_UNREACHABLE:
		return syscall.ENETUNREACH
	}
	return e
}
