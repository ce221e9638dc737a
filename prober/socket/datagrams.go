package socket

import (
	"net"
	"syscall"
	"time"

	"errno_exporter/prober/classify"
)

// Datagrams reads a connected UDP socket together with the kernel's times of arrival. One goroutine reads it.
type Datagrams struct {
	conn    *net.UDPConn
	start   time.Time
	base    moment // when it was made
	stamped bool
	oob     [192]byte // control messages: a struct scm_timestamping with its header is 64
}

// NewDatagrams returns one of a socket; its times are since start.
func NewDatagrams(conn *net.UDPConn, start time.Time) *Datagrams {
	return &Datagrams{conn: conn, start: start, base: momentSince(start), stamped: stampDatagrams(conn)}
}

// Stamped reports whether the kernel's times are expected.
func (d *Datagrams) Stamped() bool { return d.stamped }

// Arrival is when a datagram arrived, and when its read ended, since the attempt began.
type Arrival struct {
	At, Read time.Duration
	Kernel   bool // At is the kernel's
}

// Receive reads a datagram.
func (d *Datagrams) Receive(p []byte) (int, Arrival, error) {
	if !d.stamped {
		return d.unstamped(p)
	}
	n, oobn, _, _, err := d.conn.ReadMsgUDPAddrPort(p, d.oob[:])
	if refusesControl(err) {
		d.stamped = false
		return d.unstamped(p)
	}
	now := momentSince(d.start)
	if err != nil {
		return n, Arrival{At: now.since, Read: now.since}, err
	}
	return n, d.arrived(arrival(d.oob[:oobn]), now), nil
}

func (d *Datagrams) unstamped(p []byte) (int, Arrival, error) {
	n, err := d.conn.Read(p)
	now := time.Since(d.start)
	return n, Arrival{At: now, Read: now}, err
}

// arrived is a timestamp of the kernel's as an Arrival. It is the clock's where there is no timestamp, and where there
// cannot be this one because the system's clock was set.
func (d *Datagrams) arrived(at time.Time, now moment) Arrival {
	a := Arrival{At: now.since, Read: now.since}
	if at.IsZero() || now.steps(d.base) {
		return a
	}
	if kernel := now.since - now.wall.Sub(at); kernel >= d.base.since && kernel <= now.since {
		a.At, a.Kernel = kernel, true
	}
	return a
}

// refusesControl reports whether a sandbox refuses the call that reads control messages, recvmsg(2). ICMP messages,
// which a read of UDP reports, too, have other errnos.
func refusesControl(err error) bool {
	if err == nil {
		return false
	}
	errno, _ := classify.Errno(err)
	return errno == syscall.EPERM || errno == syscall.ENOSYS
}
