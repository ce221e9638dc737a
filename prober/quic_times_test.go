package prober

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"
)

// step is one thing that happens on a connection, at a time in milliseconds.
type step struct {
	at    int
	does  func(*datagrams, time.Duration)
	event qlogwriter.Event // instead of it
}

// quicTimes are what a test compares, in milliseconds.
type quicTimes struct{ Connected, Hello, Handshaken, Sent, Answered, Ended int }

func oneRTT(size int, frames ...any) qlog.PacketReceived {
	e := qlog.PacketReceived{Header: qlog.PacketHeader{PacketType: qlog.PacketType1RTT}, Raw: qlog.RawInfo{Length: size}}
	for _, f := range frames {
		e.Frames = append(e.Frames, qlog.Frame{Frame: f})
	}
	return e
}

// datagram has a size, and begins with a packet of the handshake or with another.
func datagram(head byte, size int) []byte {
	p := make([]byte, size)
	p[0] = head
	return p
}

const longHead, shortHead = 0xc0, 0x40

// inLong is a packet of a datagram that begins with one of the handshake.
func inLong(kind qlog.PacketType, size int, frames ...any) qlog.PacketReceived {
	e := oneRTT(100, frames...)
	e.Header.PacketType = kind
	e.DatagramPayloadChecksum = qlog.CalculateDatagramPayloadChecksum(datagram(longHead, size))
	return e
}

func made(checksum qlog.DatagramPayloadChecksum, frames ...any) qlog.PacketSent {
	e := qlog.PacketSent{DatagramPayloadChecksum: checksum}
	for _, f := range frames {
		e.Frames = append(e.Frames, qlog.Frame{Frame: f})
	}
	return e
}

// The times of an exchange are those of the datagrams that carried it, however late quic-go gets to them.
func TestTimesOfDatagrams(t *testing.T) {
	read := func(head byte, size int) func(*datagrams, time.Duration) {
		return func(d *datagrams, at time.Duration) {
			d.firstRead = max(d.firstRead, 1) // the socket's ICMP is another matter
			d.received(datagram(head, size), at)
		}
	}
	write := func(size int) func(*datagrams, time.Duration) {
		return func(d *datagrams, at time.Duration) { d.sending(at); d.sent(int64(size), at+time.Hour) }
	}
	data := func(offset, length int64) *qlog.StreamFrame { return &qlog.StreamFrame{Offset: offset, Length: length} }
	end := func(offset, length int64) *qlog.StreamFrame {
		return &qlog.StreamFrame{Offset: offset, Length: length, Fin: true}
	}
	settings, ack := &qlog.StreamFrame{StreamID: 2, Length: 9}, &qlog.AckFrame{}
	complete := qlog.ConnectionStateUpdated{State: qlog.ConnectionStateHandshakeComplete}
	crypto := func(offset, length int64) *qlog.CryptoFrame { return &qlog.CryptoFrame{Offset: offset, Length: length} }
	handshake := []step{{event: made(7)}, {at: 1, does: write(1200)}, {at: 5, does: read(longHead, 1200)},
		{at: 6, does: read(longHead, 900)}, {at: 7, does: read(longHead, 1000)},
		{event: inLong(qlog.PacketTypeInitial, 1200, crypto(0, 90))},
		{event: inLong(qlog.PacketTypeHandshake, 1200, crypto(0, 1000))},
		{event: inLong(qlog.PacketTypeHandshake, 900, crypto(1000, 800))},
		{event: inLong(qlog.PacketTypeHandshake, 1000, crypto(800, 900))}, {event: complete}}
	for _, row := range []struct {
		name  string
		steps []step
		want  quicTimes
	}{
		{"one after the other", []step{{event: made(8)}, {at: 7, does: write(80)}, {event: made(0, settings, end(0, 90))},
			{at: 8, does: write(140)}, {at: 20, does: read(shortHead, 500)}, {event: oneRTT(500, end(0, 450))}},
			quicTimes{0, 1, 6, 8, 20, 20}},
		{"read late: an acknowledgement, the head, the rest", []step{{event: made(0, end(0, 90))}, {at: 8, does: write(140)},
			{at: 9, does: read(shortHead, 30)}, {at: 20, does: read(shortHead, 500)}, {at: 30, does: read(shortHead, 600)},
			{event: oneRTT(30, ack)}, {event: oneRTT(500, data(0, 450))}, {event: oneRTT(600, end(450, 550))}},
			quicTimes{0, 1, 6, 8, 20, 30}},
		{"written late: the packets before the request's, too", []step{{event: made(9)}, {event: made(0, settings)},
			{event: made(0, end(0, 90))}, {event: made(0, ack)}, {at: 10, does: write(80)}, {at: 11, does: write(50)},
			{at: 12, does: write(140)}, {at: 13, does: write(30)}, {at: 20, does: read(shortHead, 500)},
			{event: oneRTT(500, end(0, 450))}}, quicTimes{0, 1, 6, 12, 20, 20}},
		{"in one datagram with the handshake", []step{{event: made(9)}, {event: made(9, end(0, 90))},
			{at: 10, does: write(1200)}, {event: made(0, ack)}, {at: 11, does: write(30)}, {at: 20, does: read(shortHead, 500)},
			{event: oneRTT(500, end(0, 450))}}, quicTimes{0, 1, 6, 10, 20, 20}},
		{"a request of two datagrams, sent again", []step{{event: made(0, data(0, 90))}, {at: 8, does: write(140)},
			{event: made(0, end(90, 10))}, {at: 9, does: write(40)}, {event: made(0, end(0, 100))},
			{at: 15, does: write(150)}, {at: 20, does: read(shortHead, 500)}, {event: oneRTT(500, end(0, 450))}},
			quicTimes{0, 1, 6, 9, 20, 20}},
		{"a datagram that quic-go drops", []step{{event: made(0, end(0, 90))}, {at: 8, does: write(140)},
			{at: 9, does: read(shortHead, 77)}, {at: 20, does: read(shortHead, 500)}, {event: oneRTT(500, end(0, 450))}},
			quicTimes{0, 1, 6, 8, 20, 20}},
		{"a response whose end is sent again before it is reported", []step{{event: made(0, end(0, 90))},
			{at: 8, does: write(140)}, {at: 20, does: read(shortHead, 500)}, {at: 30, does: read(shortHead, 600)},
			{at: 40, does: read(shortHead, 601)}, {at: 50, does: read(shortHead, 501)}, {event: oneRTT(500, data(0, 450))},
			{event: oneRTT(600, end(450, 550))}, {event: oneRTT(601, end(450, 550))}, {event: oneRTT(501, data(0, 450))}},
			quicTimes{0, 1, 6, 8, 20, 30}},
		{"a response whose middle is late", []step{{event: made(0, end(0, 90))}, {at: 8, does: write(140)},
			{at: 20, does: read(shortHead, 500)}, {at: 30, does: read(shortHead, 600)}, {at: 40, does: read(shortHead, 550)},
			{event: oneRTT(500, data(0, 450))}, {event: oneRTT(600, end(950, 550))}, {event: oneRTT(550, data(450, 500))}},
			quicTimes{0, 1, 6, 8, 20, 40}},
		{"in one datagram with a packet of the handshake", []step{{event: made(0, end(0, 90))}, {at: 8, does: write(140)},
			{at: 20, does: read(shortHead, 100)}, {at: 21, does: read(shortHead, 30)}, {event: oneRTT(100, ack)},
			{event: inLong(qlog.PacketType1RTT, 1000, end(0, 80))}}, quicTimes{0, 1, 6, 8, 7, 7}},
		{"not reported yet", []step{{event: made(0, end(0, 90))}, {at: 8, does: write(140)},
			{at: 20, does: read(shortHead, 500)}, {at: 30, does: read(shortHead, 30)}}, quicTimes{0, 1, 6, 8, 20, 20}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := new(datagrams)
			d.times.of = d
			recorder := d.times.AddProducer()
			for _, s := range append(handshake[:len(handshake):len(handshake)], row.steps...) {
				if s.event != nil {
					recorder.RecordEvent(s.event)
					continue
				}
				s.does(d, time.Duration(s.at)*time.Millisecond)
			}
			ms := func(d time.Duration) int { return int(d.Milliseconds()) }
			shook, e := d.handshake(), d.exchange()
			last, _ := d.ended()
			got := quicTimes{ms(shook.answered), ms(shook.began), ms(shook.ended), ms(e.sent), ms(e.answered), ms(last)}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if other := d.times.AddProducer(); other != nil {
				t.Errorf("a second recorder is %v, want none", other)
			}
		})
	}
}

// A server that may send no more before it hears of us waits, and that is none of its time.
func TestServerWaits(t *testing.T) {
	const last = 100 // the size of the last datagram
	for _, row := range []struct {
		name     string
		received int // bytes, 5 ms after the first datagram
		want     int // ms of the handshake, which ends after 50
	}{
		{"it has sent all that it may", 3500, 50 - 35},
		{"it may send more", 2000, 50},
	} {
		d := new(datagrams)
		d.times.of = d
		at := func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }
		write := func(at time.Duration, bytes int64) { d.sending(at); d.sent(bytes, at) }
		write(0, 1200)
		d.firstRead = 1
		d.received(datagram(longHead, row.received), at(5))
		write(at(40), 1200)
		d.received(datagram(longHead, last), at(50))
		write(at(60), 10) // which only the end of the handshake follows
		d.times.RecordEvent(inLong(qlog.PacketTypeHandshake, last, &qlog.CryptoFrame{Length: 10}))
		d.times.RecordEvent(qlog.ConnectionStateUpdated{State: qlog.ConnectionStateHandshakeComplete})
		if ended := d.handshake().ended; ended != at(row.want) {
			t.Errorf("%s: the handshake ended after %s, want %d ms", row.name, ended, row.want)
		}
	}
}
