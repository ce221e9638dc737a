//go:build !linux

package prober

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"errno_exporter/prober/result"
)

// dial makes a TCP connection. The error queue, TCP_INFO and the kernel's times are Linux's: here nothing is known but
// the error.
func dial(ctx context.Context, to netip.AddrPort, w *wanted) (*dialled, error) {
	dialer := net.Dialer{KeepAliveConfig: keepAlive}
	if w.source.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: w.source.AsSlice()}
	}
	conn, err := dialer.DialContext(ctx, w.network, to.String())
	return &dialled{conn: conn}, err
}

// readTCPInfo returns nil: not available on this system.
func readTCPInfo(syscall.RawConn) *result.TCPInfo { return nil }

// readArrived reads nothing here.
func readArrived(syscall.RawConn, int) []byte { return nil }
