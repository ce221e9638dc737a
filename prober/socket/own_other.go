//go:build !linux

package socket

import "syscall"

// Control does nothing: sockets have cookies on Linux only.
func (o *Own) Control(_, _ string, _ syscall.RawConn) error { return nil }
