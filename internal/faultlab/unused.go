package faultlab

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
)

// The ports that UnusedAddress gives: below those that the system gives to clients and to listeners that name none
// (ip_local_port_range of Linux' ip-sysctl begins at 32768, other systems' ranges at 49152).
const (
	firstUnused = 20_000
	lastUnused  = 30_000
)

// tried is how many ports this process has tried.
var tried atomic.Int64

// UnusedAddress is an address on loopback on which nothing listens, for a program that is started later. Until then no
// client and no other listener gets it, as they would get a port of the system's choice that was closed again.
func UnusedAddress(h Host) string {
	h.Helper()
	for range lastUnused - firstUnused {
		// another process begins elsewhere
		port := firstUnused + (int64(os.Getpid())*97+tried.Add(1))%(lastUnused-firstUnused)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	h.Fatalf("no port from %d to %d is free", firstUnused, lastUnused)
	return ""
}
