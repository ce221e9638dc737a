package prober

import (
	"slices"
	"time"

	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"
)

// The times of an exchange over QUIC are those of the datagrams that carried it. They are encrypted, so quic-go's trace
// says what is in each of them. It says so when it has made a packet, before the packet is written, and when it has
// processed one, which is later than the arrival. Datagrams that begin with a packet of the handshake have a checksum
// in the trace; of the others only the order and the size connect the two.
//
// What is lost is sent again, and so is what comes late: only bytes that are new count.

// requestStream is the stream of a connection's first request (RFC 9000 section 2.1).
const requestStream = 0

// packetTimes is what quic-go tells of a connection's packets. It is quic-go's qlogwriter.Trace, and its Recorder.
type packetTimes struct {
	of      *datagrams // whose mutex guards what follows
	asked   bool       // for a recorder: the first one is quic-go's, the second http3's
	waiting []waiting  // datagrams with one packet of 1-RTT that quic-go has not processed
	long    []waiting  // datagrams that begin with a packet of the handshake
	pauses  []pause    // of the server for us, during the handshake

	made     int                          // datagrams
	checksum qlog.DatagramPayloadChecksum // of the last of them, if it has more than one packet
	written  int                          // datagrams
	first    int                          // the number of the datagram with the request's first byte; 0 before it
	last     int                          // and with the last byte so far
	end      int64                        // the bytes of the request that were sent

	begun      time.Duration // the request's first byte was sent
	sent       call          // the request's last byte so far
	hello      int64         // the bytes of the ClientHello, or of both, that were sent
	greeted    int           // the number of the datagram with the last of them
	greeting   call          // which wrote that
	crypto     [2]int64      // the bytes of the handshake that arrived, in Initial and Handshake packets
	handshaken time.Duration // the last datagram that brought some of them arrived
	secure     bool          // the handshake is over
	unsure     bool          // which datagram brought the response could not be told
	answered   time.Duration // the response's first byte arrived
	ended      time.Duration // its last byte so far arrived
	arrivedTo  int64         // the bytes of it that arrived without a gap
	complete   bool          // its end arrived
}

// waiting is a datagram that has arrived.
type waiting struct {
	at       time.Duration
	size     int
	checksum qlog.DatagramPayloadChecksum // if it is long
}

// pause is a time for which the server waited for us, until we sent something.
type pause struct {
	call
	took time.Duration
}

// maxWaiting bounds the datagrams that are remembered until quic-go has processed them: it drops what is beyond 256.
const maxWaiting = 256

// AddProducer returns the recorder. HTTP/3's own events are not wanted.
func (t *packetTimes) AddProducer() qlogwriter.Recorder {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	if t.asked {
		return nil
	}
	t.asked = true
	return t
}

// Close does nothing: the trace ends with the connection.
func (t *packetTimes) Close() error { return nil }

// RecordEvent is told what quic-go does.
func (t *packetTimes) RecordEvent(event qlogwriter.Event) {
	switch event.(type) {
	case qlog.PacketSent, qlog.PacketReceived, qlog.ConnectionStateUpdated:
		t.of.report().Run(func() { t.note(event) })
	}
}

func (t *packetTimes) note(event qlogwriter.Event) {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	switch e := event.(type) {
	case qlog.PacketSent:
		t.packed(&e)
	case qlog.PacketReceived:
		switch e.Header.PacketType {
		case qlog.PacketType1RTT:
			t.processed(e.DatagramPayloadChecksum, e.Raw.Length, e.Frames)
		case qlog.PacketTypeInitial:
			t.shook(&t.crypto[0], &e)
		case qlog.PacketTypeHandshake:
			t.shook(&t.crypto[1], &e)
		case qlog.PacketTypeRetry:
			t.hello = 0 // which is sent again
		}
	case qlog.ConnectionStateUpdated:
		t.secure = t.secure || e.State == qlog.ConnectionStateHandshakeComplete
	}
}

// shook notes a packet of the handshake, of which so many bytes of its level had arrived.
func (t *packetTimes) shook(upTo *int64, e *qlog.PacketReceived) {
	for _, frame := range e.Frames {
		if c, ok := frame.Frame.(*qlog.CryptoFrame); ok && c.Offset+c.Length > *upTo {
			*upTo, t.handshaken = c.Offset+c.Length, max(t.handshaken, t.longAt(e.DatagramPayloadChecksum))
		}
	}
}

// longAt is when a datagram arrived that begins with a packet of the handshake.
func (t *packetTimes) longAt(checksum qlog.DatagramPayloadChecksum) time.Duration {
	if i := slices.IndexFunc(t.long, func(w waiting) bool { return w.checksum == checksum }); i >= 0 {
		return t.long[i].at
	}
	return t.of.lastRead
}

// waited is for how long the server waited for us during the handshake.
func (t *packetTimes) waited() (sum time.Duration) {
	for _, w := range t.pauses {
		if w.began < t.handshaken {
			sum += w.took
		}
	}
	return sum
}

// packed notes a packet that was made. Packets of one datagram have its checksum; alone a packet of 1-RTT has none.
func (t *packetTimes) packed(e *qlog.PacketSent) {
	if e.DatagramPayloadChecksum == 0 || e.DatagramPayloadChecksum != t.checksum {
		t.made++
	}
	t.checksum = e.DatagramPayloadChecksum
	for _, frame := range e.Frames {
		if c, ok := frame.Frame.(*qlog.CryptoFrame); ok && e.Header.PacketType == qlog.PacketTypeInitial &&
			c.Offset+c.Length > t.hello {
			t.hello, t.greeted = c.Offset+c.Length, t.made
		}
		s, ok := frame.Frame.(*qlog.StreamFrame)
		if !ok || s.StreamID != requestStream || s.Offset+s.Length <= t.end {
			continue
		}
		t.end, t.last = s.Offset+s.Length, t.made
		if t.first == 0 {
			t.first = t.made
		}
	}
}

// writes notes that a datagram is about to be written.
func (t *packetTimes) writes(at time.Duration) {
	t.written++
	if t.written <= t.greeted {
		t.greeting = call{began: at}
	}
	if t.first > 0 && t.written >= t.first && t.written <= t.last {
		if t.begun == 0 {
			t.begun = at
		}
		t.sent = call{began: at}
	}
}

// wrote notes that the call which wrote a datagram ended.
func (t *packetTimes) wrote(ended time.Duration) {
	if t.written <= t.greeted {
		t.greeting.ended = ended
	}
	if t.first > 0 && t.written >= t.first && t.written <= t.last {
		t.sent.ended = ended
	}
}

// arrived notes a datagram that quic-go is going to process.
func (t *packetTimes) arrived(p []byte, at time.Duration) {
	switch {
	case len(p) == 0:
	case longHeader(p) && !t.secure && len(t.long) < maxWaiting:
		t.long = append(t.long, waiting{at, len(p), qlog.CalculateDatagramPayloadChecksum(p)})
	case !longHeader(p) && len(t.waiting) < maxWaiting:
		t.waiting = append(t.waiting, waiting{at: at, size: len(p)})
	}
}

// processed notes a packet of 1-RTT, whose datagram has a checksum if it begins with another packet. Those before it
// that have not been processed by now were dropped.
func (t *packetTimes) processed(checksum qlog.DatagramPayloadChecksum, size int, frames []qlog.Frame) {
	at := t.of.lastRead
	if checksum != 0 {
		at = t.longAt(checksum)
	} else if i := slices.IndexFunc(t.waiting, func(w waiting) bool { return w.size == size }); i >= 0 {
		at = t.waiting[i].at
		t.waiting = append(t.waiting[:0], t.waiting[i+1:]...)
	} else {
		t.unsure = true
	}
	for _, frame := range frames {
		if s, ok := frame.Frame.(*qlog.StreamFrame); ok && s.StreamID == requestStream {
			t.responded(s, at)
		}
	}
}

// responded notes bytes of the response, unless they were there.
func (t *packetTimes) responded(s *qlog.StreamFrame, at time.Duration) {
	if s.Offset == 0 && t.answered == 0 {
		t.answered = at
	}
	end := s.Offset + s.Length
	if end <= t.arrivedTo && (!s.Fin || t.complete) {
		return
	}
	if s.Offset <= t.arrivedTo {
		t.arrivedTo = end
	}
	t.ended, t.complete = at, t.complete || s.Fin
}

// longHeader reports whether a datagram begins with a packet of the handshake (RFC 9000 section 17.2).
func longHeader(p []byte) bool { return p[0]&0x80 != 0 }
