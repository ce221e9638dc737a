package prober

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go/qlog"
)

// quicDoubts are by how much the times of a connection may be wrong, in milliseconds.
type quicDoubts struct{ Connect, TLS, Sent, Answered, Ended int }

// What a time over QUIC may be wrong by is what the calls took that wrote, and what waits to be reported.
func TestDoubtsOfDatagrams(t *testing.T) {
	begin := func(d *datagrams, at time.Duration) { d.sending(at) }
	end := func(d *datagrams, at time.Duration) { d.sent(1200, at) }
	write := func(d *datagrams, at time.Duration) { begin(d, at); end(d, at) }
	stall := func(d *datagrams, at time.Duration) { begin(d, at); end(d, at+3*time.Millisecond) }
	read := func(head byte, size int) func(*datagrams, time.Duration) {
		return func(d *datagrams, at time.Duration) {
			d.firstRead = max(d.firstRead, 1) // the socket's ICMP is another matter
			if d.firstRead == 1 {
				d.firstRead = at
			}
			d.received(datagram(head, size), at)
		}
	}
	byClock := func(d *datagrams, _ time.Duration) { d.wire.KernelTimes = false }
	initial := func(checksum qlog.DatagramPayloadChecksum, offset, length int64) qlog.PacketSent {
		e := made(checksum, &qlog.CryptoFrame{Offset: offset, Length: length})
		e.Header.PacketType = qlog.PacketTypeInitial
		return e
	}
	hello := func(offset, length int64) qlog.PacketSent { return initial(7, offset, length) }
	hello2 := func(offset, length int64) qlog.PacketSent { return initial(8, offset, length) }
	retry := qlog.PacketReceived{Header: qlog.PacketHeader{PacketType: qlog.PacketTypeRetry}}
	crypto := func(size int, offset, length int64) qlog.PacketReceived {
		return inLong(qlog.PacketTypeHandshake, size, &qlog.CryptoFrame{Offset: offset, Length: length})
	}
	request := made(0, &qlog.StreamFrame{Length: 90, Fin: true})
	response := oneRTT(500, &qlog.StreamFrame{Length: 450, Fin: true})
	shook := []step{{event: hello(0, 500)}, {at: 1, does: write}, {at: 10, does: read(longHead, 900)},
		{event: crypto(900, 0, 800)}}
	asked := append(shook[:len(shook):len(shook)], step{event: request}, step{at: 20, does: write},
		step{at: 30, does: read(shortHead, 500)})
	after := func(before []step, more ...step) []step { return append(before[:len(before):len(before)], more...) }
	for _, row := range []struct {
		name  string
		steps []step
		want  quicDoubts
	}{
		{"each call ends at once", after(asked, step{event: response}), quicDoubts{}},
		{"by the clock", after(asked, step{event: response}, step{does: byClock}), quicDoubts{9, 0, 0, 30, 30}},
		{"the ClientHello's last call ends late", []step{{event: hello(0, 500)}, {event: hello2(500, 700)},
			{at: 1, does: write}, {at: 2, does: stall}, {at: 10, does: read(longHead, 900)}}, quicDoubts{4, 0, 0, 0, 0}},
		{"it ends after the server's first answer", []step{{event: hello(0, 500)}, {event: hello2(500, 700)},
			{at: 1, does: write}, {at: 10, does: read(longHead, 90)}, {at: 11, does: stall},
			{at: 22, does: read(longHead, 800)}, {event: crypto(800, 0, 700)}}, quicDoubts{9, 4, 0, 0, 0}},
		{"it has not ended", []step{{event: hello(0, 500)}, {event: hello2(500, 700)}, {at: 1, does: write},
			{at: 2, does: begin}, {at: 10, does: read(longHead, 900)}, {at: 22, does: read(longHead, 800)},
			{event: crypto(800, 0, 700)}}, quicDoubts{9, 12, 0, 0, 0}},
		{"a second ClientHello", []step{{event: hello(0, 500)}, {at: 1, does: write}, {at: 10, does: read(longHead, 900)},
			{event: hello2(500, 400)}, {at: 12, does: write}, {at: 22, does: read(longHead, 800)},
			{event: crypto(800, 0, 700)}}, quicDoubts{9, 2, 0, 0, 0}},
		{"the ClientHello again", []step{{event: hello(0, 500)}, {at: 1, does: write}, {at: 10, does: read(longHead, 900)},
			{event: hello2(0, 500)}, {at: 12, does: write}, {at: 22, does: read(longHead, 800)},
			{event: crypto(800, 0, 700)}}, quicDoubts{}},
		{"the ClientHello again, for a Retry", []step{{event: hello(0, 500)}, {at: 1, does: write},
			{at: 10, does: read(longHead, 90)}, {event: retry}, {event: hello2(0, 500)}, {at: 12, does: write},
			{at: 22, does: read(longHead, 800)}, {event: crypto(800, 0, 700)}}, quicDoubts{9, 2, 0, 0, 0}},
		{"a handshake of more than the first window", []step{{event: hello(0, 500)}, {at: 1, does: write},
			{at: 10, does: read(longHead, 900)}, {at: 22, does: read(longHead, 800)}, {event: crypto(800, 0, firstWindow)}}, quicDoubts{9, 12, 0, 0, 0}},
		{"the server waits for a call that ends late", []step{{event: hello(0, 500)}, {at: 1, does: write},
			{at: 10, does: read(longHead, 3500)}, {at: 12, does: stall}, {at: 22, does: read(longHead, 800)}, {event: crypto(800, 0, 700)}},
			quicDoubts{0, 3, 0, 0, 0}},
		{"the request's call ends late", after(shook, step{event: request}, step{at: 20, does: stall},
			step{at: 30, does: read(shortHead, 500)}, step{event: response}), quicDoubts{0, 0, 3, 0, 0}},
		{"the request's call ends after the response", after(shook, step{event: request}, step{at: 29, does: stall},
			step{at: 30, does: read(shortHead, 500)}, step{event: response}), quicDoubts{0, 0, 1, 0, 0}},
		{"the request's call has not ended", after(shook, step{event: request}, step{at: 20, does: begin},
			step{at: 30, does: read(shortHead, 500)}, step{event: response}), quicDoubts{0, 0, 10, 0, 0}},
		{"the response is not reported yet", after(asked, step{at: 37, does: read(shortHead, 30)}),
			quicDoubts{0, 0, 0, 7, 7}},
		{"the response is in no datagram", after(asked, step{event: oneRTT(77, response.Frames[0].Frame)}),
			quicDoubts{0, 0, 0, 30, 30}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := new(datagrams)
			d.times.of, d.wire.KernelTimes = d, true
			for _, s := range row.steps {
				if s.event != nil {
					d.times.RecordEvent(s.event)
					continue
				}
				s.does(d, time.Duration(s.at)*time.Millisecond)
			}
			ms := func(d time.Duration) int { return int(d.Milliseconds()) }
			shook, e := d.handshake(), d.exchange()
			_, last := d.ended()
			got := quicDoubts{ms(shook.connect), ms(shook.tls), ms(e.sentDoubt), ms(e.doubt), ms(last)}
			if d.times.sent.began == 0 { // which is not compared
				got.Sent, got.Answered, got.Ended = 0, 0, 0
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What is written after so much that the kernel may have no room is sent when the call ends.
func TestSentWithoutRoom(t *testing.T) {
	for _, before := range []int{roomyDatagrams - 1, roomyDatagrams} {
		d := new(datagrams)
		d.times.of = d
		at, ended := 20*time.Millisecond, 23*time.Millisecond
		for range before {
			d.times.RecordEvent(made(0))
			d.sending(at)
			d.sent(1200, at)
		}
		d.times.RecordEvent(made(0, &qlog.StreamFrame{Length: 90}))
		d.sending(at)
		d.sent(1200, ended)
		want := at
		if before == roomyDatagrams {
			want = ended
		}
		if got := d.exchange().sent; got != want {
			t.Errorf("a request after %d datagrams was sent after %s, want %s", before, got, want)
		}
	}
}
