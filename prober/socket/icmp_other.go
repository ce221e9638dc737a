//go:build !linux

package socket

import (
	"net"
	"syscall"

	"errno_exporter/prober/result"
)

// ReportICMP leaves a resolver's socket as it is.
func ReportICMP(string, string, syscall.RawConn) error { return nil }

// ErrorQueue returns nil: not available on this system.
func ErrorQueue(*net.UDPConn) *result.ICMP { return nil }

// IgnoreICMP leaves a socket as it is.
func IgnoreICMP(*net.UDPConn) {}
