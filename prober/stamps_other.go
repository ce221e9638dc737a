//go:build !linux

package prober

import (
	"net"
	"os"
	"syscall"
	"time"
)

// The kernel's times are Linux's: elsewhere they are the clock's.

func stampHolder() *os.File { return nil }

type stamps struct{}

func (*stamps) read([]byte) (int, time.Time, error) { return 0, time.Time{}, net.ErrClosed }

func stampRequest(syscall.RawConn, bool) {}

func stopStamping(syscall.RawConn) {}

func (*stamps) readQueue(acks []acknowledgement, _ uint32) []acknowledgement { return acks }
