package target

import (
	"net/netip"
	"reflect"
	"time"

	"errno_exporter/internal/cause"
)

// like is a digest that others are like: a brief one in 176 bytes where that has all of it, as of most probes that
// succeeded, where a Digest takes 450.
type like struct {
	whole *cause.Digest // nil if it is brief, or the place is free
	brief *brief        // nil if it is whole, or the place is free
	n     int           // digests that are like it
}

// brief is what most probes that succeeded have in their digests.
type brief struct {
	at                 time.Time
	numbers            [6]int64
	segments, repeats  uint32
	addr               netip.Addr
	answers            []netip.Addr
	protocol, places   string
	status             uint16
	flags              [5]bool
	plain, answered    bool
	certShown, proxied bool
}

// set makes the like a digest.
func (l *like) set(d *cause.Digest) {
	b := &brief{at: d.At, segments: d.Segments, repeats: d.Repeats, addr: d.Addr, answers: d.Answers, protocol: d.Protocol,
		places: d.Places, status: uint16(d.Status), plain: d.Plain, answered: d.Answered, certShown: d.CertShown,
		proxied: d.Proxied}
	for i, p := range numbers(d) {
		b.numbers[i] = *p
	}
	for i, p := range flags(d) {
		b.flags[i] = *p
	}
	if same := b.digest(); !reflect.DeepEqual(&same, d) {
		l.whole = new(*d)
		return
	}
	l.brief = b
}

// digest is the digest itself.
func (l *like) digest() cause.Digest {
	if l.brief == nil {
		return *l.whole
	}
	return l.brief.digest()
}

func (b *brief) digest() cause.Digest {
	d := cause.Digest{At: b.at, Segments: b.segments, Repeats: b.repeats, Addr: b.addr, Answers: b.answers,
		Protocol: b.protocol, Places: b.places, Status: int(b.status), Plain: b.plain, Answered: b.answered,
		CertShown: b.certShown, Proxied: b.proxied}
	for i, p := range numbers(&d) {
		*p = b.numbers[i]
	}
	for i, p := range flags(&d) {
		*p = b.flags[i]
	}
	return d
}

// drop takes one of the digests away that are like it.
func (l *like) drop() {
	if l.n--; l.n == 0 {
		l.whole, l.brief = nil, nil
	}
}

// What a like takes in memory, in bytes.
const (
	perLike  = 24
	perBrief = 176
	perAddr  = 24
)

// size is about how many bytes of memory it takes.
func (l *like) size() int {
	n := perLike
	if l.brief != nil {
		n += perBrief + perAddr*cap(l.brief.answers) + len(l.brief.protocol) + len(l.brief.places)
	}
	if l.whole != nil {
		n += l.whole.Size()
	}
	return n
}
