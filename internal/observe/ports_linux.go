package observe

import (
	"encoding/binary"
	"net/netip"
)

// opLocalAtLeast and opLocalAtMost compare a local port with that of the operation after them (linux/inet_diag.h).
const (
	opLocalAtLeast = 2 // INET_DIAG_BC_S_GE
	opLocalAtMost  = 3 // INET_DIAG_BC_S_LE
)

// maxDestinations bounds the destinations that MostPorts counts for. The kernel lists sockets by the hash of their
// addresses, so that a destination with many of them is among the first.
const maxDestinations = 10_000

// MostPorts counts the sockets of this network namespace with a local port from low to high by their remote end, those
// in TIME_WAIT included, and returns the most.
func MostPorts(low, high uint16) (int, error) {
	n, err := openNetlink()
	if err != nil {
		return 0, err
	}
	defer n.close()
	var failed error
	for _, requests := range [][][]byte{{portsRequest(anyFamily, low, high)},
		{portsRequest(familyIPv4, low, high), portsRequest(familyIPv6, low, high)}} {
		used := map[netip.AddrPort]int{}
		failed = nil
		for _, request := range requests {
			if err := n.ask(request, func(body []byte) { countPort(used, body) }); err != nil {
				failed = err
			}
		}
		if failed == nil || failed == errInterrupted { // which may lack a few: a count is of one moment anyway
			return most(used), nil
		}
	}
	return 0, failed
}

func most(used map[netip.AddrPort]int) (n int) {
	for _, of := range used {
		n = max(n, of)
	}
	return n
}

// countPort adds one socket of a dump.
func countPort(used map[netip.AddrPort]int, body []byte) {
	if len(body) < messageLength {
		return
	}
	remote := address(body[0], body[24:40], body[6:])
	if remote.Port() == 0 {
		return
	}
	if n := used[remote]; n > 0 || len(used) < maxDestinations {
		used[remote] = n + 1
	}
}

// portsRequest asks for the sockets of an address family, or of both, with a local port from low to high, without
// attributes.
func portsRequest(family uint8, low, high uint16) []byte {
	b := make([]byte, headerLength, 128)
	kind, states := uint16(typeSocket), 4
	if family == anyFamily {
		kind, states = typeAnySocket, 52
		b = append(b, make([]byte, firstLength)...)
	} else {
		b = append(b, make([]byte, requestLength)...)
		b[headerLength], b[headerLength+1] = family, protocolTCP
	}
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint16(b[6:], flagRequest|flagDump)
	binary.NativeEndian.PutUint32(b[headerLength+states:], allStates)
	start := len(b)
	b = append(b, 0, 0, 0, 0) // struct rtattr
	// each is two operations, of which the second has the port; one that is met goes on behind them, the other one 4
	// bytes past the program's end, which rejects
	for _, op := range []struct {
		code uint8
		no   uint16
		port uint16
	}{{opLocalAtLeast, 20, low}, {opLocalAtMost, 12, high}} {
		b = append(b, op.code, 8)
		b = binary.NativeEndian.AppendUint16(b, op.no)
		b = append(b, 0, 8)
		b = binary.NativeEndian.AppendUint16(b, op.port)
	}
	binary.NativeEndian.PutUint16(b[start:], uint16(len(b)-start))
	binary.NativeEndian.PutUint16(b[start+2:], attributeProgram)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	return b
}
