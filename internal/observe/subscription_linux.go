package observe

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The multicast groups of sock_diag(7) (enum sknetlink_groups of linux/sock_diag.h).
const (
	groupTCPDestroyed  = 1 // SKNLGRP_INET_TCP_DESTROY
	groupTCP6Destroyed = 3 // SKNLGRP_INET6_TCP_DESTROY

	// eventBuffer is for ends that were not read yet, in all: what net.core.rmem_max allows to each socket.
	eventBuffer = 32 << 20

	// shares are the sockets that the ends are divided among. Without privilege a socket's buffer holds about 330 ends,
	// as net.core.rmem_max is 208 KiB by default: so many that end within 50 ms are 6,600 a second.
	shares = 8

	datagramLength = 2 << 10 // of one end, of which Linux 6.18 writes 420 bytes
	atATime        = 64      // ends that one system call reads
)

// subscription receives a message for each TCP socket of the network namespace that is destroyed. Its sockets are none
// of the runtime's poller, which would wake a thread for every message that comes: they are read at intervals.
type subscription struct {
	fds     []int
	buffer  []byte
	vectors [atATime]unix.Iovec
	headers [atATime]datagram
}

// datagram is struct mmsghdr of recvmmsg(2).
type datagram struct {
	header unix.Msghdr
	length uint32
}

// subscribe opens the sockets in the network namespace of the calling thread.
func subscribe() (*subscription, error) {
	s := &subscription{buffer: make([]byte, atATime*datagramLength)}
	for i := range s.headers {
		s.vectors[i].Base = &s.buffer[i*datagramLength]
		s.vectors[i].SetLen(datagramLength)
		s.headers[i].header.Iov = &s.vectors[i]
		s.headers[i].header.SetIovlen(1)
	}
	for share := range shares {
		if err := s.join(share); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// join opens the socket of one share. When its buffer is full, messages are counted and dropped, one by one
// (NETLINK_NO_ENOBUFS, netlink(7)): otherwise the kernel would drop all of them until the buffer is empty.
func (s *subscription) join(share int) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return os.NewSyscallError("open a socket of NETLINK_SOCK_DIAG", err)
	}
	s.fds = append(s.fds, fd)
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, eventBuffer/shares) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, eventBuffer/shares) // as much as is allowed
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1) // before Linux 2.6.30
	filter := shareFilter(share)
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	if err != nil {
		return os.NewSyscallError("filter destroyed sockets", err)
	}
	if err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError("bind a socket of NETLINK_SOCK_DIAG", err)
	}
	for _, group := range []int{groupTCPDestroyed, groupTCP6Destroyed} {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group); err != nil {
			return os.NewSyscallError("join the multicast group of destroyed sockets", err)
		}
	}
	return nil
}

func (s *subscription) close() {
	for _, fd := range s.fds {
		_ = unix.Close(fd) // nothing was written that could be lost
	}
}

// drain calls each with the datagrams that are there, at most about so many, and does not wait for more.
func (s *subscription) drain(most int, each func(datagram []byte)) {
	for _, fd := range s.fds {
		for read := atATime; read == atATime && most > 0; most -= read {
			read = s.read(fd, each)
		}
	}
}

// read reads what is there of one socket with one system call, and says how much it was. It does not wait: Go's
// scheduler need not know of it.
func (s *subscription) read(fd int, each func(datagram []byte)) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&s.headers[0])), atATime,
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	for i := range s.headers[:n] {
		at := i * datagramLength
		each(s.buffer[at : at+int(min(s.headers[i].length, datagramLength))])
	}
	runtime.KeepAlive(s)
	return int(n)
}

// dropped is how many messages the kernel could not put into the full buffers of the sockets: SK_MEMINFO_DROPS, the
// last number of SO_MEMINFO (linux/sock_diag.h).
func (s *subscription) dropped() (all uint64) { // Linux 4.12
	for _, fd := range s.fds {
		// nine numbers of 32 bits, read as a structure that has the ninth one at the same place
		numbers, err := unix.GetsockoptTCPInfo(fd, unix.SOL_SOCKET, unix.SO_MEMINFO)
		if err == nil {
			all += uint64(numbers.Lost)
		}
	}
	return all
}

// portAt is where a message has the lower byte of the socket's own port: id.idiag_sport.
const portAt = headerLength + 5

// shareFilter is a program of bpf(4), as SO_ATTACH_FILTER has it (socket(7)), that accepts the sockets of one share.
// The kernel gives clients even ports, one after the other (__inet_hash_connect of net/ipv4/inet_hashtables.c).
func shareFilter(share int) []unix.SockFilter {
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: portAt},
		{Code: unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K, K: 1},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: shares - 1},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(share)},
		{Code: unix.BPF_RET | unix.BPF_K, K: ^uint32(0)},
		{Code: unix.BPF_RET | unix.BPF_K},
	}
}
