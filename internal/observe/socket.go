package observe

import (
	"net/netip"
	"time"
)

// A Socket is one connection as the last dump saw it.
type Socket struct {
	Target        string
	Local, Remote netip.AddrPort
	State         string        // the kernel's name in lower case
	Idle          time.Duration // since data was last sent or received
	Age           time.Duration // since the connection was first seen
	TCP           TCP
	Container     string // or unit whose process made it; empty where that is not known

	cgroup uint64
}
