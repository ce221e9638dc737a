package accuracy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Truth is when what happened on a connection's wire, as seen by its client: it sends when a packet leaves, and gets
// when one arrives.
type Truth struct {
	SYN, SYNACK time.Time
	TLS         time.Duration // from each flight of ours to the last of the server's that answers it
	Path        string        // of the request, where it is not encrypted
	Asked       time.Time     // the last data of the request
	Answered    time.Time     // the first data of the response
	Last        time.Time     // the last data that arrived
}

// Shape is what a connection carries before the response, in an order that no encryption hides.
type Shape struct {
	Flights int  // the client's in the handshake
	Answers int  // the server's that the client waits for: TLS 1.3 ends with the client's
	HTTP2   bool // both sides send their settings first
	// of TLS 1.2 in bytes, where it is longer
	CloseNotify int
}

// The shapes of handshakes. Where nothing is encrypted there is none.
var (
	TLS13 = Shape{Flights: 2, Answers: 1}
	Retry = Shape{Flights: 3, Answers: 2} // TLS 1.3 with a HelloRetryRequest
	TLS12 = Shape{Flights: 2, Answers: 2, CloseNotify: 31}
)

// Sizes of what is not looked for, in bytes of data.
const (
	changeCipherSpec = 6  // sent for the sake of old middleboxes (RFC 8446 appendix D.4)
	closeNotify      = 24 // sent by the server after the answer
	// what HTTP/2 sends about the connection after its settings: acknowledgements, windows; and TLS 1.3 around it
	smallFrames = 50
	// the answer is a kilobyte; session tickets, which come any time after the handshake, are less
	answerAtLeast = 1000
)

// seen is what a client sent and got.
type seen struct {
	Truth
	sent, got []moment
	encrypted bool
	sentTo    uint32 // the sequence number after the last byte sent
	gotTo     uint32
}

type moment struct {
	at    time.Time
	bytes int
}

// Connection is one connection of a client. A port that was closed is used again after a second where both ends are on
// loopback (tcp_tw_reuse of Linux' ip-sysctl), so that an address alone does not name it.
type Connection struct {
	Local netip.AddrPort
	Use   int // how often the address was used before
}

// Truths are those of the connections that a client made, all of one shape.
func Truths(packets []Packet, shape Shape) map[Connection]*Truth {
	all := map[Connection]*seen{}
	latest := map[netip.AddrPort]*seen{}
	uses := map[netip.AddrPort]int{}
	for _, p := range packets {
		if p.Datagram != nil {
			continue
		}
		if p.Outgoing && p.SYN && !p.ACK {
			s := latest[p.From]
			if s == nil || !s.SYNACK.IsZero() { // or the SYN is repeated
				s = &seen{encrypted: true}
				latest[p.From], all[Connection{p.From, uses[p.From]}] = s, s
				uses[p.From]++
			}
			s.SYN = p.At
		}
		if s := latest[p.From]; s != nil && p.Outgoing && p.Bytes > 0 && fresh(&s.sentTo, &p) {
			if p.Path != "" {
				s.Path, s.encrypted = p.Path, false
			}
			s.sent = append(s.sent, moment{p.At, p.Bytes})
		}
		if s := latest[p.To]; s != nil && !p.Outgoing {
			if p.SYN && p.ACK {
				s.SYNACK = p.At
			}
			if p.Bytes > 0 && fresh(&s.gotTo, &p) {
				s.got = append(s.got, moment{p.At, p.Bytes})
			}
		}
	}
	truths := map[Connection]*Truth{}
	for connection, s := range all {
		if s.tell(shape) {
			truths[connection] = &s.Truth
		}
	}
	return truths
}

// fresh reports whether a segment brings what none before it brought: a late acknowledgement has the last segment
// repeated (tail loss probe, RFC 8985 section 7).
func fresh(upTo *uint32, p *Packet) bool {
	end := p.Seq + uint32(p.Bytes)
	if *upTo != 0 && int32(end-*upTo) <= 0 {
		return false
	}
	*upTo = end
	return true
}

// of are the packets from and to a server: other programs on this host use the same ports for others.
func of(server string, packets []Packet) []Packet {
	port := server[strings.LastIndexByte(server, ':')+1:]
	return slices.DeleteFunc(packets, func(p Packet) bool {
		return strconv.Itoa(int(p.From.Port())) != port && strconv.Itoa(int(p.To.Port())) != port
	})
}

// tell finds what is what: in the clear the request is the first that is sent; encrypted it comes after the handshake's
// flights.
func (s *seen) tell(shape Shape) bool {
	least := 1
	if s.encrypted {
		s.sent = slices.DeleteFunc(s.sent, func(m moment) bool { return m.bytes <= changeCipherSpec })
		s.got = slices.DeleteFunc(s.got, func(m moment) bool {
			return m.bytes == closeNotify || m.bytes == shape.CloseNotify || m.bytes <= changeCipherSpec
		})
		if shape.Flights == 0 || len(s.sent) <= shape.Flights { // the former: of another program
			return false
		}
		for i := range shape.Answers {
			answered := s.lastBefore(s.sent[i+1].at)
			if answered.Before(s.sent[i].at) {
				return false
			}
			s.TLS += answered.Sub(s.sent[i].at)
		}
		finished := s.sent[shape.Flights-1].at
		s.sent, least = s.sent[shape.Flights:], answerAtLeast
		if shape.HTTP2 {
			least = smallFrames
			s.dropSettings(finished)
		}
	}
	if len(s.sent) == 0 {
		return false
	}
	s.Asked = s.sent[0].at
	for _, m := range s.got {
		if m.at.Before(s.Asked) || s.Answered.IsZero() && m.bytes < least {
			continue
		}
		if s.Answered.IsZero() {
			s.Answered = m.at
		}
		s.Last = m.at
	}
	return !s.Answered.IsZero()
}

// lastBefore is when the last data arrived before a time.
func (s *seen) lastBefore(at time.Time) (last time.Time) {
	for _, m := range s.got {
		if m.at.Before(at) {
			last = m.at
		}
	}
	return last
}

// dropSettings drops the settings that both sides of HTTP/2 send first, and what is sent about the connection.
func (s *seen) dropSettings(finished time.Time) {
	small := func(m moment) bool { return m.bytes < smallFrames }
	s.sent = slices.DeleteFunc(s.sent, small)
	if len(s.sent) > 0 {
		s.sent = s.sent[1:]
	}
	s.got = slices.DeleteFunc(s.got, func(m moment) bool { return small(m) || m.at.Before(finished) })
	if len(s.got) > 0 {
		s.got = s.got[1:]
	}
}
