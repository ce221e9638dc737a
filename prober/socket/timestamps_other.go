//go:build !linux

package socket

import (
	"net"
	"os"
	"syscall"
	"time"
)

// The kernel's timestamps are Linux's: elsewhere times are the process's own clock's.

// HoldStamping does nothing on this system.
func HoldStamping() *os.File { return nil }

type stamps struct{}

func (*stamps) watch(*Lookout, time.Time) {}

func (*stamps) forget() {}

func (*stamps) emptySince() time.Time { return time.Time{} }

func (*stamps) read([]byte) (int, time.Time, error) { return 0, time.Time{}, net.ErrClosed }

func stampAcknowledgement(syscall.RawConn) {}

func stampRequest(syscall.RawConn) {}

func stampSendings(syscall.RawConn) {}

func stopStamping(syscall.RawConn) {}

func (*stamps) readQueue(earlier []stamp, _ uint32) []stamp { return earlier }

func stampDatagrams(*net.UDPConn) bool { return false }

func arrival([]byte) time.Time { return time.Time{} }
