package reset

import "net/netip"

// segment is what is kept of a captured packet.
type segment struct {
	local, remote netip.AddrPort
	flags         uint8
	ttl           uint8
	options       bool
	loopback      bool
}

// TCP flags (RFC 9293 section 3.1).
const (
	flagSYN = 1 << 1
	flagRST = 1 << 2
	flagACK = 1 << 4
)

// parseSegment reads a captured packet from its IP header on. It reports false for what the filter should not have let
// pass.
func parseSegment(b []byte) (segment, bool) {
	var s segment
	var tcp []byte
	var from, to netip.Addr
	switch {
	case len(b) >= 20 && b[0]>>4 == 4 && b[9] == 6 && len(b) >= int(b[0]&15)*4:
		s.ttl, tcp = b[8], b[int(b[0]&15)*4:]
		from, to = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	case len(b) >= 40 && b[0]>>4 == 6 && b[6] == 6:
		s.ttl, tcp = b[7], b[40:]
		from, to = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	}
	if len(tcp) < 20 {
		return s, false
	}
	s.remote = netip.AddrPortFrom(from, uint16(tcp[0])<<8|uint16(tcp[1]))
	s.local = netip.AddrPortFrom(to, uint16(tcp[2])<<8|uint16(tcp[3]))
	s.options, s.flags = tcp[12]>>4 > 5, tcp[13]
	return s, true
}
