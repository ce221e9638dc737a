package prober

import (
	"time"

	"errno_exporter/prober/result"
)

// Phases over QUIC are those of datagrams, whose arrivals the kernel timestamps. What is left to the clock is when a
// datagram was sent, between the beginning and the end of the call that wrote it; so a phase may be wrong by what such
// a call took, and by what the server waited for us otherwise.

// call is a call that wrote a datagram.
type call struct{ began, ended time.Duration } // ended is 0 while it goes on

// by is when the datagram had been sent at the latest, if that was before a time.
func (c *call) by(before time.Duration) time.Duration {
	if c.ended == 0 {
		return before
	}
	return min(c.ended, before)
}

// doubt is by how much at most the beginning of the call differs from when the datagram was sent, if that was before a
// time.
func (c *call) doubt(before time.Duration) time.Duration { return max(0, c.by(before)-c.began) }

const (
	// roomyDatagrams is how many datagrams of our size fit the kernel's default for a socket's buffer, in which one of
	// 1280 bytes takes 2304 of 212,992. A call that writes one waits for nothing.
	roomyDatagrams = 64
	// firstWindow is how many bytes a server sends at least before it waits for an acknowledgement (RFC 9002 section 7.2).
	firstWindow = 10 * minInitial
)

// shaken are the times of a handshake.
type shaken struct {
	began, answered, ended time.Duration // ended: as if the server had not waited for us
	connect, tls           time.Duration // by how much the phases may be wrong
}

// handshake returns when the first datagram was sent, when the server's first one arrived, and when its last one would
// have arrived had it not waited for us. A ClientHello is in several datagrams, between which we may wait for a CPU,
// and which the server may answer one by one; and there is a second one if the server wants that.
func (d *datagrams) handshake() shaken {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := &d.times
	s := shaken{began: d.firstSent, answered: d.firstRead, ended: max(d.firstRead, t.handshaken-t.waited())}
	if !d.wire.KernelTimes || t.crypto[0]+t.crypto[1] >= firstWindow {
		s.connect, s.tls = s.answered-s.began, s.ended-s.answered
		return s
	}
	s.connect = t.greeting.by(s.answered) - s.began
	s.tls = max(0, t.greeting.by(t.handshaken)-s.answered)
	for i := range t.pauses {
		if p := &t.pauses[i]; p.began < t.handshaken {
			s.tls += p.doubt(t.handshaken)
		}
	}
	return s
}

// exchanged are the times of a request, and of the response's first byte.
type exchanged struct {
	begun, sent time.Duration // the request's first and last byte was sent; 0 before that
	answered    time.Duration // the response's first byte arrived
	sentDoubt   time.Duration // by how much sent may be wrong
	doubt       time.Duration // and answered
}

// exchange returns the times of a request, and when the response's first byte arrived.
func (d *datagrams) exchange() exchanged {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := &d.times
	e := exchanged{begun: t.begun, sent: t.sent.began}
	e.answered, e.doubt = t.settled(t.answered)
	e.sentDoubt = t.sent.doubt(e.answered + e.doubt)
	if t.written > roomyDatagrams {
		e.sent = max(e.sent, t.sent.ended) // the kernel may have had no room for it
	}
	return e
}

// ended returns when the response's last byte arrived, and by how much that may be wrong.
func (d *datagrams) ended() (at, doubt time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.times.complete {
		return d.times.settled(0)
	}
	return d.times.settled(d.times.ended)
}

// settled returns when a datagram arrived, and by how much that may be wrong. Until quic-go has reported what is in it,
// which is 0, it is the packet that quic-go processes now: it has handed on what is in it. That is one of those that
// wait.
func (t *packetTimes) settled(at time.Duration) (settled, doubt time.Duration) {
	switch {
	case at == 0 && len(t.waiting) > 0:
		at = t.waiting[0].at
		doubt = t.of.lastRead - at
	case at == 0:
		at, doubt = t.of.lastRead, t.of.lastRead
	}
	if !t.of.wire.KernelTimes || t.unsure {
		doubt = at
	}
	return at, doubt
}

// byDatagrams replaces the times that HTTP/3's hooks reported: they run before the request is sent, and later than the
// response arrives.
func (p *progress) byDatagrams(d *datagrams) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := d.exchange()
	p.doubt, p.sentDoubt = e.answered, e.sentDoubt
	if p.wrote && e.sent > 0 {
		p.begun, p.sent, p.wroteAt = e.begun, e.sent, e.sent
	}
	if p.firstByte != 0 && p.informed == 0 {
		p.firstByte, p.doubt = e.answered, e.doubt
	}
}

// spanDatagrams adds the spans of request and processing over QUIC. The caller holds p.mu.
func (h *hop) spanDatagrams(p *progress, began, sent time.Duration) {
	if p.begun > 0 {
		began = min(max(began, p.begun), sent) // a request in one datagram takes no time
	}
	h.done(result.Request, began, sent)
	h.doneWithin(result.Processing, sent, p.firstByte, min(p.sentDoubt+p.doubt, p.firstByte-sent))
}
