package classify

import (
	"errors"
	"net"
	"os"
	"syscall"

	"errno_exporter/prober/result"
)

// Why a TCP connection was not established.

// classifyDial names a TCP connection that was not established.
func classifyDial(e *Evidence) result.Failure {
	errno, _ := Errno(e.Err)
	reason, origin := reasonOfDial(e, errno)
	return result.Failure{Reason: reason, Errno: errno, Origin: origin, Err: e.Err}
}

func reasonOfDial(e *Evidence, errno syscall.Errno) (result.Reason, result.Origin) {
	if foreignSource(e.Err, errno) {
		return result.ProbeConfig, result.Self
	}
	if withoutFamily(e, errno) {
		return result.LocalNoRoute, result.Local
	}
	if reason, ok := exhausted(errno); ok {
		return reason, result.Local
	}
	if errno == 0 {
		switch e.Ended {
		case Cancelled:
			return result.Abandoned, result.Self
		case Deadline:
			return result.TCPTimedOut, result.Self
		}
		return result.Unknown, ""
	}
	if unsent(e.Wire) {
		return reasonOfUnsent(errno)
	}
	if errno == syscall.EHOSTUNREACH && (neighbourSilent(e.Wire.Info) || e.ICMPFromHost && unreachableHost(e.Wire.ICMP)) {
		return result.TCPAddressUnreachable, result.Local // ARP or ND failed on our own network
	}
	if e.ICMPFromHost {
		return result.LocalDenied, result.Local // a firewall on this host rejects
	}
	return reasonOfConnectErrno(errno, e.Wire.ICMP)
}

// foreignSource reports whether the module's source address is not one of this host's, or not of the target's family.
// The kernel has the same errno for a host without free ports, but not when an address is bound (bind(2)).
func foreignSource(err error, errno syscall.Errno) bool {
	call, ok := errors.AsType[*os.SyscallError](err)
	_, family := errors.AsType[*net.AddrError](err)
	return family || ok && call.Syscall == "bind" && errno == syscall.EADDRNOTAVAIL
}

// unsent reports whether no segment was ever built: the error is this host's own.
func unsent(w *result.Wire) bool { return w.Info != nil && w.Info.SegsOut == 0 }

func reasonOfUnsent(errno syscall.Errno) (result.Reason, result.Origin) {
	switch errno {
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN:
		return result.LocalNoRoute, result.Local
	case syscall.EPERM, syscall.EACCES:
		return result.LocalDenied, result.Local
	case syscall.EINVAL:
		return result.TCPAddressInvalid, result.Local
	}
	return result.TCPFailed, result.Local
}

// neighbourSilent reports whether the SYN was built, never put on the wire and tried again: retransmissions are counted
// only when a segment leaves.
func neighbourSilent(info *result.TCPInfo) bool {
	return info != nil && info.Retransmits > 0 && info.TotalRetrans == 0
}

func reasonOfConnectErrno(errno syscall.Errno, icmp *result.ICMP) (result.Reason, result.Origin) {
	answerer := result.Peer
	if icmp != nil {
		answerer = result.Path
	}
	switch errno {
	case syscall.ECONNREFUSED:
		return result.TCPRefused, answerer
	case syscall.ECONNRESET:
		return result.TCPReset, result.Peer // the handshake had completed: a RST to our SYN is ECONNREFUSED
	case syscall.ETIMEDOUT:
		return result.TCPTimedOut, result.Kernel
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EHOSTDOWN, syscall.EACCES:
		return result.TCPAddressUnreachable, result.Path
	case syscall.ENETDOWN:
		return result.LocalNoRoute, result.Local
	case syscall.EPERM:
		return result.LocalDenied, result.Local
	case syscall.EINVAL:
		return result.TCPAddressInvalid, result.Local
	}
	return result.TCPFailed, answerer
}
