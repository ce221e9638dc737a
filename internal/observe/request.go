package observe

import (
	"encoding/binary"
	"net/netip"
)

// What is asked of the kernel: struct inet_diag_req_v2, with a program in the bytecode of linux/inet_diag.h that lets
// the sockets of the targets pass.

const (
	flagRequest      = 1     // NLM_F_REQUEST
	flagDump         = 0x300 // NLM_F_DUMP
	attributeProgram = 1     // INET_DIAG_REQ_BYTECODE
	opJump           = 1     // INET_DIAG_BC_JMP
	opRemote         = 8     // INET_DIAG_BC_D_COND
	anyFamily        = 0     // AF_UNSPEC
	familyIPv6       = 10    // AF_INET6
	protocolTCP      = 6
	requestLength    = 56 // struct inet_diag_req_v2
	firstLength      = 60 // struct inet_diag_req
	extensions       = 1 << (attributeTCPInfo - 1)
	anyPort          = 0xffffffff

	allStates = 1<<newSynReceived | (1<<listen - 2) | 1<<closing // but LISTEN

	// maxConditions bounds the program, which is run for each socket of the namespace: with more, sockets are
	// filtered in this process.
	maxConditions = 256
)

// condition is met by sockets whose peer is in a network, and has a port; 0 for any.
type condition struct {
	network netip.Prefix
	port    uint16
}

// dumpRequest asks for the sockets of one address family that meet one of the conditions, or for all of them where
// there are too many conditions.
func dumpRequest(family uint8, conditions []condition) []byte {
	b := make([]byte, headerLength+requestLength)
	binary.NativeEndian.PutUint16(b[4:], typeSocket)
	r := b[headerLength:]
	r[0], r[1], r[2] = family, protocolTCP, extensions
	binary.NativeEndian.PutUint32(r[4:], allStates)
	return finish(b, conditions)
}

// anyRequest asks for those of both families, for which the kernel goes through its table of sockets only once. No
// request of the second version does (struct inet_diag_req of linux/inet_diag.h).
func anyRequest(conditions []condition) []byte {
	b := make([]byte, headerLength+firstLength)
	binary.NativeEndian.PutUint16(b[4:], typeAnySocket)
	r := b[headerLength:]
	r[3] = extensions
	binary.NativeEndian.PutUint32(r[52:], allStates)
	return finish(b, conditions)
}

// finish adds what both kinds of requests have.
func finish(b []byte, conditions []condition) []byte {
	binary.NativeEndian.PutUint16(b[6:], flagRequest|flagDump)
	if len(conditions) <= maxConditions {
		b = appendProgram(b, conditions)
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	return b
}

// appendProgram appends the attribute with the program: each condition is followed by a jump to the end, which accepts,
// and is skipped where it is not met; the last one then jumps 4 bytes past the end, which rejects.
func appendProgram(b []byte, conditions []condition) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0) // struct rtattr
	var jumps []int
	for i, c := range conditions {
		size := 4 + 8 + c.network.Addr().BitLen()/8
		last := i == len(conditions)-1
		no := size + 4 // past the jump or, for the last one, past the end
		b = append(b, opRemote, uint8(size))
		b = binary.NativeEndian.AppendUint16(b, uint16(no))
		port := uint32(anyPort)
		if c.port != 0 {
			port = uint32(c.port)
		}
		family := uint8(familyIPv4)
		if c.network.Addr().Is6() {
			family = familyIPv6
		}
		b = append(b, family, uint8(c.network.Bits()), 0, 0)
		b = binary.NativeEndian.AppendUint32(b, port)
		b = append(b, c.network.Addr().AsSlice()...)
		if !last {
			jumps = append(jumps, len(b))
			b = append(b, opJump, 4, 0, 0)
		}
	}
	for _, at := range jumps {
		binary.NativeEndian.PutUint16(b[at+2:], uint16(len(b)-at))
	}
	binary.NativeEndian.PutUint16(b[start:], uint16(len(b)-start))
	binary.NativeEndian.PutUint16(b[start+2:], attributeProgram)
	return b
}

// socketRequest asks for the socket with these addresses, also one in TIME_WAIT.
func socketRequest(local, remote netip.AddrPort) []byte {
	b := make([]byte, headerLength+requestLength)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], typeSocket)
	binary.NativeEndian.PutUint16(b[6:], flagRequest)
	r := b[headerLength:]
	r[0], r[1] = familyIPv4, protocolTCP
	if remote.Addr().Is6() {
		r[0] = familyIPv6
	}
	binary.NativeEndian.PutUint32(r[4:], 1<<timeWait)
	binary.BigEndian.PutUint16(r[8:], local.Port())
	binary.BigEndian.PutUint16(r[10:], remote.Port())
	copy(r[12:28], local.Addr().AsSlice())
	copy(r[28:44], remote.Addr().AsSlice())
	for i := 48; i < 56; i++ {
		r[i] = 0xff // INET_DIAG_NOCOOKIE
	}
	return b
}
