package observe

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// What the kernel writes about a socket: struct nlmsghdr (linux/netlink.h), struct inet_diag_msg
// (linux/inet_diag.h), attributes, and struct tcp_info (linux/tcp.h). Numbers have this host's byte order, ports and
// addresses that of the network.

// The sizes and types of netlink(7) and sock_diag(7).
const (
	headerLength     = 16  // struct nlmsghdr
	messageLength    = 72  // struct inet_diag_msg
	attributeLength  = 4   // struct rtattr
	typeError        = 2   // NLMSG_ERROR
	typeDone         = 3   // NLMSG_DONE
	typeAnySocket    = 18  // TCPDIAG_GETSOCK
	typeSocket       = 20  // SOCK_DIAG_BY_FAMILY
	flagInterrupted  = 16  // NLM_F_DUMP_INTR
	attributeTCPInfo = 2   // INET_DIAG_INFO
	attributeCgroup  = 21  // INET_DIAG_CGROUP_ID: Linux 5.9
	leastTCPInfo     = 160 // tcp_info up to tcpi_data_segs_out: Linux 4.6
	familyIPv4       = 2   // AF_INET
)

// state is a TCP state of linux/net/tcp_states.h.
type state uint8

// The states that the rules name.
const (
	established state = 1 + iota
	synSent
	synReceived
	finWait1
	finWait2
	timeWait
	closed
	closeWait
	lastACK
	listen
	closing
	newSynReceived
)

// states are the kernel's names, in lower case.
var states = [...]string{"", "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close",
	"close_wait", "last_ack", "listen", "closing", "new_syn_recv"}

func (s state) String() string {
	if int(s) < len(states) {
		return states[s]
	}
	return ""
}

// sighting is a socket as the kernel described it at one moment.
type sighting struct {
	at            time.Time // when it was read; zero in a dump
	notBefore     time.Time // when it had not been written yet
	cookie        uint64
	cgroup        uint64 // the ID of its cgroup; 0 if it is not known, as in TIME_WAIT and at an end
	local, remote netip.AddrPort
	state         state
	readQueue     uint32 // bytes received and not read; 1 more with a FIN that was not read
	writeQueue    uint32 // bytes written and not acknowledged; 1 more with a FIN
	info          tcpInfo
	after         state // of what had the same addresses when it was read, for an end whose own FIN was acknowledged
	prompt        bool  // that was within the time in which no peer retransmits
}

// tcpInfo is what is used of struct tcp_info; it is zero in TIME_WAIT.
type tcpInfo struct {
	known            bool
	congestion       congestion
	retransmits      uint8 // timeouts in a row, without an answer
	probes           uint8 // keepalive or zero window probes without an answer
	lastSent         time.Duration
	lastReceived     time.Duration
	lastACK          time.Duration // received
	rtt, rttVariance time.Duration
	window           uint64 // bytes that the congestion control allows to be in flight
	unacknowledged   uint32 // segments
	totalRetransmits uint32
	bytesAcked       uint64 // 1 more for the SYN, and for the FIN
	bytesReceived    uint64 // 1 more for the peer's FIN
	notSent          uint32
	dataSegmentsIn   uint32
	bytesSent        uint64 // with retransmissions
	bytesRetransmit  uint64
	hasBytesSent     bool          // Linux 4.19
	windowLimited    time.Duration // Linux 4.10
}

// header is what is used of struct nlmsghdr.
type header struct {
	kind, flags uint16
	sequence    uint32 // that of the request which the message answers
}

// messages calls each with the header and the body of every netlink message of a datagram, and stops at a broken one.
func messages(b []byte, each func(h header, body []byte)) {
	for len(b) >= headerLength {
		length := binary.NativeEndian.Uint32(b)
		if length < headerLength || uint64(length) > uint64(len(b)) {
			return
		}
		each(header{binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:]),
			binary.NativeEndian.Uint32(b[8:])}, b[headerLength:length])
		b = b[min(len(b), align(int(length))):]
	}
}

// align rounds up to NLMSG_ALIGNTO and RTA_ALIGNTO, which are both 4.
func align(n int) int { return (n + 3) &^ 3 }

// parseSocket reads a struct inet_diag_msg and its attributes.
func parseSocket(b []byte, s *sighting) bool {
	if len(b) < messageLength {
		return false
	}
	*s = sighting{state: state(b[1]), cookie: binary.NativeEndian.Uint64(b[44:]),
		readQueue: binary.NativeEndian.Uint32(b[56:]), writeQueue: binary.NativeEndian.Uint32(b[60:])}
	s.local = address(b[0], b[8:24], b[4:])
	s.remote = address(b[0], b[24:40], b[6:])
	for b = b[messageLength:]; len(b) >= attributeLength; {
		length := int(binary.NativeEndian.Uint16(b))
		if length < attributeLength || length > len(b) {
			break
		}
		switch value := b[attributeLength:length]; binary.NativeEndian.Uint16(b[2:]) {
		case attributeTCPInfo:
			s.info.parse(value)
		case attributeCgroup:
			if len(value) >= 8 {
				s.cgroup = binary.NativeEndian.Uint64(value)
			}
		}
		b = b[min(len(b), align(length)):]
	}
	return true
}

// address is IPv4 also where an IPv6 socket has an IPv4 connection (RFC 4291 section 2.5.5.2).
func address(family uint8, ip, port []byte) netip.AddrPort {
	a := netip.AddrFrom16([16]byte(ip)).Unmap()
	if family == familyIPv4 {
		a = netip.AddrFrom4([4]byte(ip))
	}
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(port))
}

// parse reads struct tcp_info, which grows with each kernel.
func (t *tcpInfo) parse(b []byte) {
	if len(b) < leastTCPInfo {
		return
	}
	u32 := func(at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }
	duration := func(at int, unit time.Duration) time.Duration { return time.Duration(u32(at)) * unit }
	*t = tcpInfo{known: true, congestion: congestion(b[1]), retransmits: b[2], probes: b[3],
		window:         uint64(u32(80)) * uint64(u32(16)),
		unacknowledged: u32(24), lastSent: duration(44, time.Millisecond), lastReceived: duration(52, time.Millisecond),
		lastACK: duration(56, time.Millisecond), rtt: duration(68, time.Microsecond),
		rttVariance: duration(72, time.Microsecond), totalRetransmits: u32(100),
		bytesAcked: binary.NativeEndian.Uint64(b[120:]), bytesReceived: binary.NativeEndian.Uint64(b[128:]),
		notSent: u32(144), dataSegmentsIn: u32(152)}
	if len(b) >= 184 {
		t.windowLimited = time.Duration(binary.NativeEndian.Uint64(b[176:])) * time.Microsecond
	}
	if len(b) >= 216 {
		t.hasBytesSent = true
		t.bytesSent = binary.NativeEndian.Uint64(b[200:])
		t.bytesRetransmit = binary.NativeEndian.Uint64(b[208:])
	}
}
