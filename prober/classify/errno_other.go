//go:build !windows

package classify

import (
	"syscall"
)

// portable is an errno as package syscall names it: here the kernel's own.
func portable(e syscall.Errno) syscall.Errno { return e }
