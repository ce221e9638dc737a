//go:build !linux

package web

import "syscall"

// cork does nothing: TCP_CORK is Linux's.
func cork(syscall.RawConn, int) {}
