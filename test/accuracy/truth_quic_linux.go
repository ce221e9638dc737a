package accuracy

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"time"
)

// The levels of QUIC's packets.
const (
	levelInitial = iota
	levelHandshake
	levelData
	levels
)

// quicSeen is a connection over QUIC as a capture has it. Packets that are sent again carry what others carried: only
// what is new counts.
type quicSeen struct {
	Truth
	secrets map[string][]byte
	first   []byte               // the connection ID that the client chose for the server
	keys    [levels][2]*quicKeys // of the client's packets, and of the server's
	hello   []byte               // the first bytes of the ClientHello
	have    [randomEnds]bool
	ids     [2]int // bytes of the connection IDs that the client, and the server, sends to

	sent, got        int // bytes
	lastSent, lastAt time.Time
	cryptoTo         [levels]uint64
	crypto           time.Time // the last new bytes of the server's handshake
	waits            []quicWait
	askedTo, gotTo   uint64 // bytes of the stream
	asked, ended     bool
}

// quicWait is a time for which the server waited for a datagram of ours.
type quicWait struct {
	until time.Time
	d     time.Duration
}

// Where a ClientHello has its random (RFC 8446 section 4.1.2).
const (
	randomBegins = 6
	randomEnds   = randomBegins + 32
)

// QUICTruths are those of the connections over QUIC that clients made to a server, decrypted by their key log.
func QUICTruths(packets []Packet, server netip.AddrPort, keyLog []byte) map[Connection]*Truth {
	secrets := secretsOf(keyLog)
	all := map[Connection]*quicSeen{}
	latest := map[netip.AddrPort]*quicSeen{}
	uses := map[netip.AddrPort]int{}
	for _, p := range packets {
		switch {
		case p.Outgoing && p.Datagram != nil && p.To == server:
			if id, ok := chosenID(p.Datagram); ok && (latest[p.From] == nil || latest[p.From].begins(id, p.Datagram)) {
				s := &quicSeen{secrets: secrets, first: id, hello: make([]byte, randomEnds)}
				s.keys[levelInitial], _ = initialKeys(id)
				latest[p.From], all[Connection{p.From, uses[p.From]}] = s, s
				uses[p.From]++
			}
			if s := latest[p.From]; s != nil {
				s.send(&p)
			}
		case !p.Outgoing && p.Datagram != nil && p.From == server:
			if s := latest[p.To]; s != nil {
				s.receive(&p)
			}
		}
	}
	truths := map[Connection]*Truth{}
	for connection, s := range all {
		if s.finish() {
			truths[connection] = &s.Truth
		}
	}
	return truths
}

// chosenID is the connection ID in a datagram that begins with an Initial packet.
func chosenID(p []byte) ([]byte, bool) {
	if len(p) < 7 || p[0]&0xf0 != 0xc0 || len(p) < 6+int(p[5]) {
		return nil, false
	}
	return p[6 : 6+int(p[5])], true
}

// begins reports whether a datagram with another connection ID begins another connection: the server's choice replaces
// the client's, but no packet with it opens with keys that are made of it.
func (s *quicSeen) begins(id, p []byte) bool {
	if slices.Equal(id, s.first) {
		return false
	}
	keys, err := initialKeys(id)
	if err != nil {
		return false
	}
	opens := false
	parseQUIC(p, 0, func(level int, packet []byte, number int) {
		_, ok := keys[0].open(packet, number)
		opens = opens || level == levelInitial && ok
	})
	return opens
}

func (s *quicSeen) send(p *Packet) {
	if s.SYN.IsZero() {
		s.SYN = p.At
	}
	if !s.SYNACK.IsZero() && 3*s.sent-s.got < 1200 {
		since := s.lastAt
		if s.lastSent.After(since) {
			since = s.lastSent
		}
		s.waits = append(s.waits, quicWait{p.At, p.At.Sub(since)})
	}
	s.sent, s.lastSent = s.sent+p.Bytes, p.At
	s.read(p, 0)
}

func (s *quicSeen) receive(p *Packet) {
	if s.SYNACK.IsZero() {
		s.SYNACK = p.At
	}
	s.got, s.lastAt = s.got+p.Bytes, p.At
	s.read(p, 1)
}

// read reads the packets of a datagram of one side.
func (s *quicSeen) read(p *Packet, side int) {
	if d := p.Datagram; side == 1 && d[0]&0x80 != 0 && len(d) > 6+int(d[5]) {
		s.ids = [2]int{int(d[6+int(d[5])]), int(d[5])}
	}
	parseQUIC(p.Datagram, s.ids[side], func(level int, packet []byte, number int) {
		frames, ok := s.keys[level][side].open(packet, number)
		if !ok {
			return
		}
		eachFrame(frames, func(f *quicFrame) { s.frame(p.At, level, side, f) })
	})
}

func (s *quicSeen) frame(at time.Time, level, side int, f *quicFrame) {
	end := f.offset + uint64(len(f.data))
	switch {
	case f.crypto && side == 0 && level == levelInitial:
		s.greet(f)
	case f.crypto && side == 1 && level < levelData:
		if end > s.cryptoTo[level] {
			s.cryptoTo[level], s.crypto = end, at
		}
	case f.crypto || f.stream != 0 || level != levelData:
	case side == 0:
		if s.asked = s.asked || f.fin; end > s.askedTo { // no server waits for a FIN after the request
			s.Asked, s.askedTo = at, end
		}
	default:
		if s.Answered.IsZero() && f.offset == 0 {
			s.Answered = at
		}
		if end > s.gotTo || f.fin && !s.ended {
			s.Last, s.gotTo, s.ended = at, max(s.gotTo, end), s.ended || f.fin
		}
	}
}

// greet takes the ClientHello's random, which names the secrets.
func (s *quicSeen) greet(f *quicFrame) {
	for i, b := range f.data {
		if at := f.offset + uint64(i); at < randomEnds {
			s.hello[at], s.have[at] = b, true
		}
	}
	if s.keys[levelData][0] != nil || slices.Contains(s.have[:], false) {
		return
	}
	random := hex.EncodeToString(s.hello[randomBegins:])
	for side, name := range []string{"CLIENT_", "SERVER_"} {
		s.keys[levelHandshake][side], _ = newQUICKeys(s.secrets[name+handshakeSecrets+random])
		s.keys[levelData][side], _ = newQUICKeys(s.secrets[name+trafficSecrets+random])
	}
}

// finish is the phase tls, and whether all was seen.
func (s *quicSeen) finish() bool {
	if s.crypto.IsZero() || !s.asked || !s.ended || s.Answered.IsZero() {
		return false
	}
	s.TLS = s.crypto.Sub(s.SYNACK)
	for _, w := range s.waits {
		if w.until.Before(s.crypto) {
			s.TLS -= w.d
		}
	}
	return true
}
