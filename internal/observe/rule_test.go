package observe

import (
	"net/netip"
	"testing"
	"time"

	"errno_exporter/internal/reset"
)

// ended is the kernel's last message about a connection on which 5 bytes were sent and 7 received, and which ended with
// nothing else: what was measured on Linux 6.18 (docs/application-connections.md).
func ended(change func(*sighting)) sighting {
	s := sighting{state: closed, remote: netip.MustParseAddrPort("192.0.2.1:443"),
		info: tcpInfo{known: true, hasBytesSent: true, bytesAcked: 6, bytesSent: 5, bytesReceived: 7, dataSegmentsIn: 1,
			rtt: time.Millisecond, lastSent: time.Second, lastReceived: time.Second, lastACK: time.Second}}
	if change != nil {
		change(&s)
	}
	return s
}

// The changes of rows below.
func finAcknowledged(s *sighting) { s.info.bytesAcked++ }
func finPending(s *sighting)      { s.writeQueue = 1 }
func unreadFIN(s *sighting)       { s.readQueue = 1 }
func unreadData(s *sighting)      { s.readQueue = 7 }
func peerFIN(s *sighting)         { s.info.bytesReceived++ }
func erased(s *sighting) {
	s.remote, s.writeQueue = netip.MustParseAddrPort("192.0.2.1:0"), 65538
	s.info = tcpInfo{known: true, hasBytesSent: true, lastSent: time.Second, lastACK: time.Second,
		lastReceived: 51247 * time.Second}
}
func both(changes ...func(*sighting)) func(*sighting) {
	return func(s *sighting) {
		for _, change := range changes {
			change(s)
		}
	}
}

// The kernel's last words, what surrounds them, and what they mean.
func TestConclude(t *testing.T) {
	one := counts{estabResets: 1}
	open := reset.Closing{Known: true}
	shut := reset.Closing{Known: true, FIN: true, Closed: true}
	timeout := counts{estabResets: 1, abortOnTimeout: 1}
	onClose := counts{estabResets: 1, resetsSent: 1, abortOnClose: 1}
	for _, row := range []struct {
		name     string
		change   func(*sighting)
		evidence evidence
		how      How
		certain  bool
	}{
		{"RST, all was seen before", nil,
			evidence{seen: established, sameData: true, received: 7, dump: one}, ResetReceived, true},
		{"RST, no dump has seen it", nil, evidence{dump: one}, ResetReceived, false},
		{"RST, and this host sends some", nil,
			evidence{seen: established, sameData: true, dump: onClose}, ResetReceived, false},
		{"RST, and others time out", nil,
			evidence{seen: established, sameData: true, dump: timeout}, ResetReceived, false},
		{"RST, data had come since", nil, evidence{seen: established, dump: one}, ResetReceived, false},
		{"RST, captured", nil, evidence{captured: true, dump: one}, ResetReceived, true},
		{"RST, response unread", unreadData,
			evidence{seen: established, sameData: true, dump: one}, ResetReceived, false},
		{"RST while retransmitting", func(s *sighting) { s.info.retransmits = 1 },
			evidence{seen: established, sameData: true, received: 7, dump: one}, ResetReceived, true},
		{"nothing was counted", nil, evidence{seen: established, sameData: true}, Unknown, false},

		{"closed with unread data", unreadData,
			evidence{seen: established, dump: onClose, batch: onClose, unread: 1}, ResetSent, true},
		{"closed with unread data, two candidates for one", unreadData,
			evidence{seen: established, dump: onClose, batch: onClose, unread: 2}, Unknown, false},
		{"closed with unread data, others may have been before", unreadData,
			evidence{seen: established, dump: onClose, unread: 1}, Unknown, false},
		{"closed with unread data, reported late", unreadData,
			evidence{seen: established, dump: onClose, unread: 1, gone: true}, ResetSent, true},
		{"closed with unread data, reported late, another was reset", unreadData,
			evidence{seen: established, dump: counts{estabResets: 2, abortOnClose: 1}, gone: true}, Unknown, false},
		{"closed with unread data, was reset before", unreadData,
			evidence{seen: established, sameData: true, received: 7, dump: one, batch: onClose, unread: 1, gone: true},
			ResetReceived, true},
		{"closed with unread data, two candidates for one, all was captured", unreadData,
			evidence{seen: established, dump: onClose, batch: onClose, unread: 2, closing: open}, ResetSent, true},
		{"closed with unread data, captured RST", unreadData,
			evidence{dump: onClose, batch: onClose, unread: 1, captured: true}, ResetReceived, true},
		{"aborted", erased, evidence{seen: established}, ResetSent, true},
		{"aborted, no dump has seen it", erased, evidence{}, ResetSent, false},
		{"aborted, reported late", erased,
			evidence{seen: established, gone: true, dump: counts{estabResets: 1, abortOnData: 1}}, ResetSent, true},
		{"aborted, reported late, another was reset", erased,
			evidence{seen: established, gone: true, dump: counts{estabResets: 2, abortOnData: 1}}, Unknown, false},
		{"aborted after a RST", erased, evidence{seen: established, gone: true, dump: one}, ResetReceived, false},
		{"aborted after a RST or a timeout", erased,
			evidence{seen: established, gone: true, dump: timeout}, Unknown, false},
		{"aborted after it was gone", erased, evidence{seen: established, gone: true}, Unknown, false},
		{"aborted after a captured RST", erased, evidence{seen: established, captured: true}, ResetReceived, true},
		{"aborted, no dump has seen it, all was captured", erased, evidence{closing: open}, ResetSent, true},
		{"aborted, a FIN was captured", erased, evidence{closing: reset.Closing{Known: true, FIN: true}}, ResetSent, false},
		{"aborted in CLOSE_WAIT", erased, evidence{seen: closeWait}, FINReceived, true},

		{"FIN by the peer, seen", finAcknowledged, evidence{seen: closeWait}, FINReceived, true},
		{"FIN by the peer, counted", both(finAcknowledged, peerFIN),
			evidence{seen: established, sameData: true, received: 7}, FINReceived, true},
		{"FIN by the peer, counted and not read", both(finAcknowledged, peerFIN, unreadFIN),
			evidence{seen: established, sameData: true, received: 7}, Unknown, false},
		{"FIN by the peer, counted and not read, and no TIME_WAIT could have gone", both(finAcknowledged, peerFIN, unreadFIN),
			evidence{seen: established, sameData: true, received: 7, stays: true}, FINReceived, false},
		{"FIN by the peer, neither", both(finAcknowledged, peerFIN), evidence{}, Unknown, false},
		{"FIN by the peer, neither, and no TIME_WAIT could have gone", both(finAcknowledged, peerFIN),
			evidence{stays: true}, FINReceived, false},
		{"FIN by the peer, data had come since", both(finAcknowledged, peerFIN),
			evidence{seen: established, received: 7}, Unknown, false},
		{"unread data after this side's FIN", both(finAcknowledged, unreadData), evidence{stays: true}, Unknown, false},
		{"FIN by the peer, no room for TIME_WAIT, neither", both(finAcknowledged, peerFIN),
			evidence{stays: true, dump: counts{timeWaitOverflow: 1}}, Unknown, false},
		{"FIN by the peer, captured", both(finAcknowledged, peerFIN), evidence{closing: shut}, FINReceived, true},
		{"FIN by the peer, captured and not read", both(finAcknowledged, peerFIN, unreadFIN), evidence{closing: shut},
			FINReceived, false},
		{"FIN by the peer that acknowledges ours, captured", both(finAcknowledged, peerFIN, unreadFIN),
			evidence{closing: reset.Closing{Known: true, FIN: true, Closed: true, Answered: true}}, FINSent, true},
		{"FIN by us, all was captured", finAcknowledged, evidence{closing: open}, FINSent, true},
		{"FIN by us, TIME_WAIT ended by a RST", finAcknowledged,
			evidence{seen: established, sameData: true, received: 7}, FINSent, true},
		{"FIN by the peer, no room for TIME_WAIT", both(finAcknowledged, peerFIN),
			evidence{seen: established, sameData: true, received: 7, dump: counts{timeWaitOverflow: 1}}, FINReceived, true},
		{"FIN by the peer, then its RST", func(s *sighting) { s.writeQueue, s.info.bytesSent = 5, 10 },
			evidence{seen: closeWait, dump: one}, FINReceived, true},
		{"FIN by the peer, RST for ours", finPending, evidence{seen: closeWait}, FINReceived, true},
		{"FIN by the peer, RST for ours, captured", both(finPending, peerFIN), evidence{closing: shut}, FINReceived, true},
		{"FIN by the peer that was not read, RST for ours, captured", both(finPending, peerFIN, unreadFIN),
			evidence{closing: shut}, FINReceived, false},
		{"FIN by the peer, then its RST, captured", peerFIN, evidence{closing: shut, captured: true, dump: one},
			FINReceived, true},

		{"FIN by us, TIME_WAIT", finAcknowledged, evidence{after: timeWait}, FINSent, true},
		{"FIN by us, FIN_WAIT2", finAcknowledged, evidence{after: finWait2}, FINSent, true},
		{"FIN by us, half closed, then RST", finAcknowledged, evidence{seen: finWait2}, FINSent, true},
		{"FIN by us, RST for it", finPending, evidence{seen: established, sameData: true, received: 7}, FINSent, true},
		{"a FIN by us, RST for it, data had come since", finPending, evidence{seen: established, received: 7}, Unknown,
			false},
		{"a FIN by us that data crosses, all was captured", both(finPending, unreadData), evidence{closing: open}, FINSent,
			true},
		{"a FIN by us, RST for it, no dump has seen it", finPending, evidence{}, Unknown, false},

		{"retransmission timeout", func(s *sighting) { s.info.retransmits, s.writeQueue, s.info.bytesSent = 3, 5, 10 },
			evidence{seen: established, dump: timeout, expired: 1}, TimedOut, true},
		{"keepalive timeout", func(s *sighting) { s.info.probes = 2 },
			evidence{dump: timeout, expired: 1}, TimedOut, true},
		{"timeout, two candidates for one", func(s *sighting) { s.info.probes = 2 },
			evidence{dump: timeout, expired: 2}, TimedOut, false},

		{"an old kernel, TIME_WAIT", func(s *sighting) { s.info.hasBytesSent = false },
			evidence{after: timeWait}, FINSent, true},
		{"an old kernel, CLOSE_WAIT", func(s *sighting) { s.info.hasBytesSent = false },
			evidence{seen: closeWait}, FINReceived, true},
		{"an old kernel", func(s *sighting) { s.info.hasBytesSent = false },
			evidence{seen: established, dump: one}, Unknown, false},
	} {
		row.evidence.end = ended(row.change)
		if how, certain := row.evidence.conclude(); how != row.how || certain != row.certain {
			t.Errorf("%s: %s, certain %t; want %s, %t", row.name, how, certain, row.how, row.certain)
		}
	}
}

// What was lost, and for how long nothing had been sent.
func TestLostAndIdle(t *testing.T) {
	waiting := func(s *sighting) { s.info.lastSent = 3 * time.Second; s.info.lastReceived = 4 * time.Second }
	inFlight := func(s *sighting) { s.info.bytesSent, s.writeQueue = 10, 5 }
	for _, row := range []struct {
		name   string
		change func(*sighting)
		lost   Lost
		idle   time.Duration
	}{
		{"all was answered", nil, NothingLost, time.Second},
		{"not answered", waiting, Unanswered, 3 * time.Second},
		{"not acknowledged", both(waiting, inFlight), Unacknowledged, 3 * time.Second},
		{"not sent", func(s *sighting) { s.writeQueue, s.info.notSent = 9, 9 }, Unacknowledged, time.Second},
		{"gave up waiting", both(waiting, finAcknowledged), Unanswered, 3 * time.Second},
		{"only the FIN was not acknowledged", finPending, NothingLost, time.Second},
		{"close_notify and FIN",
			both(finAcknowledged, func(s *sighting) { s.info.lastSent = 900 * time.Millisecond }), NothingLost,
			900 * time.Millisecond},
		{"close_notify and FIN, RST for it",
			both(inFlight, func(s *sighting) { s.info.lastSent = 0; s.writeQueue++ }), NothingLost, 0},
		{"nothing was sent", func(s *sighting) { s.info = tcpInfo{known: true, hasBytesSent: true, bytesAcked: 1} },
			NothingLost, 0},
		{"aborted", erased, NothingLost, time.Second},
	} {
		s := ended(row.change)
		if lost, idle := s.lost(), s.idle(); lost != row.lost || idle != row.idle {
			t.Errorf("%s: lost %q, idle %v; want %q, %v", row.name, lost, idle, row.lost, row.idle)
		}
	}
}

// A connect(2) that failed is no connection.
func TestConnected(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*sighting)
		want   bool
	}{
		{"a connection", nil, true},
		{"one that was aborted", erased, true},
		{"refused", func(s *sighting) { s.writeQueue, s.info.bytesAcked, s.info.bytesSent = 1, 0, 0 }, false},
		{"refused, disconnected", both(erased, func(s *sighting) { s.writeQueue = never }), false},
	} {
		s := ended(row.change)
		if got := s.connected(); got != row.want {
			t.Errorf("%s: connected() = %t, want %t", row.name, got, row.want)
		}
	}
}

// A TIME_WAIT that is not there was never there, where nothing can have ended it.
func TestStays(t *testing.T) {
	answered := both(finAcknowledged, func(s *sighting) {
		s.prompt, s.info.lastSent, s.info.lastACK = true, 1100*time.Millisecond, 0
	})
	for _, row := range []struct {
		name   string
		change func(*sighting)
		want   bool
	}{
		{"answered, and looked for promptly", answered, true},
		{"looked for late", both(answered, func(s *sighting) { s.prompt = false }), false},
		{"a request without an answer", both(answered, func(s *sighting) { s.info.lastReceived = 2 * time.Second }), false},
		{"data right before the FIN", both(answered, func(s *sighting) { s.info.lastSent = 10 * time.Millisecond }), false},
	} {
		s := ended(row.change)
		if got := s.stays(); got != row.want {
			t.Errorf("%s: stays() = %t, want %t", row.name, got, row.want)
		}
	}
}
