package reset

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"errno_exporter/guard"
)

const (
	captureLength = 256     // bytes of a packet: both headers with all of their options, and a RST's payload
	captureBuffer = 4 << 20 // of the kernel, for what has not been drained
	drainEvery    = 50 * time.Millisecond
)

// Open opens the packet socket in the network namespace of the calling thread. The error says what is missing, most
// often CAP_NET_RAW (packet(7)).
func Open(report guard.Report) (*Capture, error) {
	fd := -1
	way, err := withNetRaw(func() (err error) {
		// protocol 0: nothing comes before the filter is there
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return missing(os.NewSyscallError("open a packet socket", err))
		}
		return prepareCapture(fd)
	})
	if err != nil {
		if fd >= 0 {
			_ = unix.Close(fd) // it was never used
		}
		return nil, err
	}
	stop := make(chan struct{})
	c := newCapture(&packetSocket{fd: fd, stop: stop, clock: time.Now()}, report)
	c.Way = way
	guard.Report(c.panicked).Go(func() { c.keepDraining(stop) })
	return c, nil
}

func prepareCapture(fd int) error {
	if err := attachFilter(fd, flagRST); err != nil {
		return err
	}
	// before Linux 4.20 we see our own, too, and they match no connection
	_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, captureBuffer) // as much as is allowed
	}
	stampPackets(fd)
	all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL)) // htons
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all}); err != nil {
		return os.NewSyscallError("bind the packet socket", err)
	}
	return nil
}

// SeeFINs has the FINs of peers captured, too, of connections that begin from now on.
func (c *Capture) SeeFINs() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	source, is := c.source.(*packetSocket)
	if !is || source.fd < 0 || c.fins {
		return nil
	}
	if err := attachFilter(source.fd, flagRST|flagFIN); err != nil {
		return err
	}
	c.drain() // what has begun by now may have lost its FIN
	c.fins = true
	return nil
}

// attachFilter lets only the packets pass that are wanted.
func attachFilter(fd int, flags uint32) error {
	filter, err := bpf.Assemble(captureFilter(flags))
	if err != nil {
		return fmt.Errorf("assemble the capture's filter: %w", err)
	}
	kernel := make([]unix.SockFilter, len(filter))
	for i, f := range filter {
		kernel[i] = unix.SockFilter{Code: f.Op, Jt: f.Jt, Jf: f.Jf, K: f.K}
	}
	program := unix.SockFprog{Len: uint16(len(kernel)), Filter: &kernel[0]}
	return os.NewSyscallError("attach the capture's filter",
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program))
}

// captureFilter lets SYN-ACKs of TCP over IPv4 and IPv6 pass, and packets with one of the flags. The packet begins with
// the IP header.
func captureFilter(flags uint32) []bpf.Instruction {
	const drop = 255 // resolved below
	program := []bpf.Instruction{
		0:  bpf.LoadExtension{Num: bpf.ExtProto},
		1:  bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.ETH_P_IP, SkipFalse: 7}, // else 9
		2:  bpf.LoadAbsolute{Off: 9, Size: 1},
		3:  bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipFalse: drop},
		4:  bpf.LoadAbsolute{Off: 6, Size: 2},
		5:  bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: drop}, // a later fragment has no TCP header
		6:  bpf.LoadMemShift{Off: 0},
		7:  bpf.LoadIndirect{Off: 13, Size: 1},
		8:  bpf.Jump{Skip: 4}, // to 13
		9:  bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.ETH_P_IPV6, SkipFalse: drop},
		10: bpf.LoadAbsolute{Off: 6, Size: 1},
		11: bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipFalse: drop},
		12: bpf.LoadAbsolute{Off: 40 + 13, Size: 1},
		13: bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: flags, SkipTrue: 2}, // to 16
		14: bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: flagSYN | flagACK},
		15: bpf.JumpIf{Cond: bpf.JumpEqual, Val: flagSYN | flagACK, SkipFalse: drop},
		16: bpf.RetConstant{Val: captureLength},
		17: bpf.RetConstant{Val: 0},
	}
	for i, instruction := range program {
		if jump, ok := instruction.(bpf.JumpIf); ok {
			to := uint8(len(program) - 1 - i - 1)
			if jump.SkipTrue == drop {
				jump.SkipTrue = to
			}
			if jump.SkipFalse == drop {
				jump.SkipFalse = to
			}
			program[i] = jump
		}
	}
	return program
}

// keepDraining keeps the kernel's queue short. It sleeps in between: a goroutine that woke for each packet would cost
// more than all else here.
func (c *Capture) keepDraining(stop <-chan struct{}) {
	ticker := time.NewTicker(drainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			guard.Report(c.panicked).Run(c.drainOnce) // a packet that panics is behind the others the next time
		}
	}
}

// drainOnce drains under the lock.
func (c *Capture) drainOnce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
}

// panicked is called with a panic of the draining, which is over then: what has arrived is still read when a connection
// asks.
func (c *Capture) panicked(p *guard.Panic) {
	if c.report != nil {
		c.report(p)
	}
}

// Close ends the capture.
func (c *Capture) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.source.close()
}
