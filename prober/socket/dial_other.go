//go:build !linux

package socket

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"errno_exporter/prober/result"
)

// dial makes a TCP connection. The error queue, TCP_INFO and the kernel's timestamps are Linux's: here only the error
// is known.
func dial(ctx context.Context, to netip.AddrPort, o *Options) (*dialled, error) {
	dialer := net.Dialer{KeepAliveConfig: keepAlive}
	if o.Source.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: o.Source.AsSlice()}
	}
	conn, err := dialer.DialContext(ctx, o.network, to.String())
	return &dialled{conn: conn}, err
}

// readTCPInfo returns nil: not available on this system.
func readTCPInfo(syscall.RawConn) *result.TCPInfo { return nil }

// readArrived reads nothing here.
func readArrived(syscall.RawConn, int) []byte { return nil }
