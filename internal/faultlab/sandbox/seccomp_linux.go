//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Call is a system call, by its number and the values of some of its arguments.
type Call struct {
	Number uint32
	Args   map[uint32]uint32 // by index
}

// SetOption is setsockopt(2) of an option.
func SetOption(level, option uint32) Call {
	return Call{unix.SYS_SETSOCKOPT, map[uint32]uint32{1: level, 2: option}}
}

// GetOption is getsockopt(2) of an option.
func GetOption(level, option uint32) Call {
	return Call{unix.SYS_GETSOCKOPT, map[uint32]uint32{1: level, 2: option}}
}

// OpenSocket is socket(2) of an address family.
func OpenSocket(family uint32) Call { return Call{unix.SYS_SOCKET, map[uint32]uint32{0: family}} }

// needed are the options without which package net makes no socket; the prober needs none.
var needed = []Call{SetOption(unix.SOL_SOCKET, unix.SO_BROADCAST), SetOption(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)}

// Deny has the kernel refuse calls of all threads from here on (seccomp(2)): they fail with errno.
func Deny(errno syscall.Errno, calls ...Call) error {
	var program []bpf.Instruction
	for _, c := range needed {
		program = append(program, match(c, 0x7fff0000)...) // SECCOMP_RET_ALLOW
	}
	for _, c := range calls {
		program = append(program, match(c, 0x00050000|uint32(errno))...) // SECCOMP_RET_ERRNO
	}
	raw, err := bpf.Assemble(append(program, bpf.RetConstant{Val: 0x7fff0000}))
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	runtime.LockOSThread() // the first call is about its thread, and the second fails on another
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	installed := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, failed := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&installed)))
	if failed != 0 {
		return fmt.Errorf("install a filter of system calls: %w", failed)
	}
	return nil
}

// match returns a value for a call, and goes on for others. The filter reads a struct seccomp_data: the call's number,
// and from byte 16 on its arguments of 64 bits, of which the lower half is compared.
func match(c Call, verdict uint32) []bpf.Instruction {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Val: c.Number, SkipFalse: uint8(2*len(c.Args) + 1)}}
	left := len(c.Args)
	for i, value := range c.Args {
		left--
		program = append(program, bpf.LoadAbsolute{Off: 16 + 8*i, Size: 4},
			bpf.JumpIf{Val: value, SkipFalse: uint8(2*left + 1)})
	}
	return append(program, bpf.RetConstant{Val: verdict})
}
