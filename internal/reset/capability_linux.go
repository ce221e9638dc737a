package reset

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// The ways in which the process has CAP_NET_RAW.
const (
	ways         = "docs/reset-capture.md"
	wayEffective = "CAP_NET_RAW is effective"
	wayPermitted = "CAP_NET_RAW is permitted by the file's capability, and raised for the packet socket"
	noNewPrivs   = "; no_new_privs is set, which disables the program file's capabilities"
)

// withNetRaw calls f on a thread on which CAP_NET_RAW is effective, if the process may have it at all, and says how it
// has it. Only while f runs is it raised: a program file with the capability in its permitted set alone (setcap
// cap_net_raw=p) can be executed where the capability is not granted, one with =ep cannot (capabilities(7)).
func withNetRaw(f func() error) (way string, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3} // of this thread
	var sets [2]unix.CapUserData
	const raw = 1 << unix.CAP_NET_RAW
	if unix.Capget(&header, &sets[0]) != nil || sets[0].Effective&raw != 0 || sets[0].Permitted&raw == 0 {
		return wayEffective, f()
	}
	sets[0].Effective |= raw
	if err := unix.Capset(&header, &sets[0]); err != nil {
		return "", os.NewSyscallError("capset", err)
	}
	err = f()
	sets[0].Effective &^= raw
	if lowered := unix.Capset(&header, &sets[0]); err == nil && lowered != nil {
		err = os.NewSyscallError("capset", lowered)
	}
	return wayPermitted, err
}

// missing adds to an error what would permit the capture.
func missing(err error) error {
	hint := ""
	if set, unread := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); unread == nil && set == 1 {
		hint = noNewPrivs
	}
	return fmt.Errorf("%w (CAP_NET_RAW is missing: see %s%s)", err, ways, hint)
}
