//go:build !linux

package prober

import (
	"context"
	"net"
	"syscall"
	"time"
)

// dialWitness has nothing to see here: the error queue and TCP_INFO are Linux's.
type dialWitness struct {
	calledAt time.Time
	stamped  bool
}

func newDialWitness(int, int) *dialWitness { return &dialWitness{} }

func (*dialWitness) control(context.Context, string, string, syscall.RawConn) error { return nil }
func (*dialWitness) connected(string) (uint32, time.Duration)                       { return 0, 0 }
func (*dialWitness) failed() (*TCPInfo, *ICMP)                                      { return nil, nil }

// readTCPInfo returns nil: not available on this system.
func readTCPInfo(syscall.RawConn) *TCPInfo { return nil }

// reportICMP leaves a resolver's socket as it is.
func reportICMP(string, string, syscall.RawConn) error { return nil }

// errorQueue returns nil: not available on this system.
func errorQueue(*net.UDPConn) *ICMP { return nil }

// ignoreICMP leaves a socket as it is.
func ignoreICMP(*net.UDPConn) {}

// readArrived reads nothing here.
func readArrived(syscall.RawConn, int) []byte { return nil }
