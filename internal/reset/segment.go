package reset

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"errno_exporter/prober/result"
)

// segment is what is kept of a captured packet.
type segment struct {
	local, remote netip.AddrPort
	flags         uint8
	ttl           uint8
	options       bool
	loopback      bool
	ipv4          bool // id and df are of its header
	df            bool
	id            uint16
	window        uint16
	sequence      uint32
	acknowledged  uint32
	length        int    // of a FIN's data
	payload       string // of a RST; printable
	arrived       time.Time
}

// TCP flags (RFC 9293 section 3.1), and Don't Fragment in the high byte of IPv4's flags (RFC 791 section 3.1).
const (
	flagFIN = 1 << 0
	flagSYN = 1 << 1
	flagRST = 1 << 2
	flagACK = 1 << 4

	flagDF = 1 << 6
)

// maxPayload bounds the text of a RST, in bytes.
const maxPayload = 100

// parseSegment reads a captured packet from its IP header on, which may be cut at the end. It reports false for what
// the filter should not have let pass.
func parseSegment(b []byte) (segment, bool) {
	var s segment
	var tcp []byte
	var from, to netip.Addr
	whole := 0  // the length of the packet, which may be cut
	header := 0 // of IPv4; at least 20 bytes (RFC 791 section 3.1)
	if len(b) >= 20 && b[0]>>4 == 4 {
		header = int(b[0]&15) * 4
	}
	switch {
	case header >= 20 && b[9] == 6 && len(b) >= header:
		whole = int(binary.BigEndian.Uint16(b[2:])) - header
		b = b[:max(min(len(b), header+whole), header)] // Ethernet pads to 60 bytes
		s.ttl, s.ipv4, tcp = b[8], true, b[header:]
		s.id, s.df = binary.BigEndian.Uint16(b[4:]), b[6]&flagDF != 0
		from, to = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	case len(b) >= 40 && b[0]>>4 == 6 && b[6] == 6:
		whole = int(binary.BigEndian.Uint16(b[4:]))
		b = b[:min(len(b), 40+whole)]
		s.ttl, tcp = b[7], b[40:]
		from, to = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	}
	if len(tcp) < 20 {
		return s, false
	}
	s.remote = netip.AddrPortFrom(from, binary.BigEndian.Uint16(tcp))
	s.local = netip.AddrPortFrom(to, binary.BigEndian.Uint16(tcp[2:]))
	s.sequence, s.acknowledged = binary.BigEndian.Uint32(tcp[4:]), binary.BigEndian.Uint32(tcp[8:])
	s.options, s.flags, s.window = tcp[12]>>4 > 5, tcp[13], binary.BigEndian.Uint16(tcp[14:])
	if s.flags&flagFIN != 0 {
		s.length = max(0, whole-int(tcp[12]>>4)*4)
	}
	if header := int(tcp[12]>>4) * 4; s.flags&flagRST != 0 && header >= 20 && len(tcp) > header {
		s.payload = payloadText(tcp[header:])
	}
	return s, true
}

// payloadText is a RST's payload, which is text or CBOR with a text (RFC 9293 section 3.5.3,
// draft-ietf-tcpm-rst-diagnostic-payload): printable, and cut.
func payloadText(b []byte) string {
	text := strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(string(b[:min(len(b), maxPayload)]), string(utf8.RuneError)))
	return result.Cut(text, maxPayload)
}
