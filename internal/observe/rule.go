package observe

import (
	"time"

	"errno_exporter/internal/reset"
)

// How it is concluded how a connection ended. The kernel's last message about a socket does not say it: the state is
// CLOSE whatever happened. But its counters do, to a large part. docs/application-connections.md has the rule in words,
// and what was measured.

// never is the write queue of a socket that never was connected: connect(2) failed. One of a connection that was
// aborted is longer by the window (tcp_disconnect of net/ipv4/tcp.c).
const never = 3

// evidence is what is known about the end of a connection.
type evidence struct {
	end   sighting
	after state // of what has the same addresses right after the end: TIME_WAIT, FIN_WAIT2; 0 for nothing
	stays bool  // whether a TIME_WAIT that had been there would still be, unless the peer resets what was closed

	// what the dumps before it showed; zero if none did
	seen     state
	sameData bool // no data has come since
	received uint64

	batch, dump counts // how much the counters have risen since the events before, and since the dump before the end
	recent      counts // … since before the end, if it is read promptly
	unread      uint64 // ends among the events at hand that look like a close with unread data
	expired     uint64 // … like a timeout
	gone        bool   // a dump missed it before its end was reported; dump is until then
	captured    bool   // a RST was captured
	closing     reset.Closing
}

// What the counters of an end say.

// erased reports whether the socket was disconnected: the kernel then forgets the peer's port, and all counters.
func (s *sighting) erased() bool { return s.remote.Port() == 0 }

// connected reports whether there was a connection at all.
func (s *sighting) connected() bool {
	if s.erased() {
		return s.writeQueue > never
	}
	return s.info.bytesAcked > 0
}

// outstanding is the number of bytes that were sent and not acknowledged, without a FIN; the SYN was.
func (s *sighting) outstanding() int64 {
	return int64(s.info.bytesSent-s.info.bytesRetransmit) - int64(s.info.bytesAcked) + 1
}

// finAcknowledged reports whether this side's FIN was acknowledged: it counts as a byte, as the SYN does.
func (s *sighting) finAcknowledged() bool { return s.info.hasBytesSent && s.outstanding() < 0 }

// finSent reports whether this side has sent a FIN, which may be all that is not acknowledged.
func (s *sighting) finSent() bool {
	return s.info.hasBytesSent && (s.finAcknowledged() ||
		int64(s.writeQueue)-int64(s.info.notSent)-s.outstanding() == 1)
}

// peerClosed reports whether the peer's FIN had come: captured, seen in a dump, or counted as a byte since without any
// data.
func (e *evidence) peerClosed() bool {
	return e.closing.Closed || e.seen == closeWait || e.seen == lastACK ||
		e.sameData && e.end.info.bytesReceived == e.received+1
}

// noFIN reports whether the peer's FIN had not come: since the dump nothing was received.
func (e *evidence) noFIN() bool {
	return e.seen == established && e.sameData && e.end.info.bytesReceived == e.received
}

// mayHaveClosed reports whether the peer's FIN may have come unseen.
func (e *evidence) mayHaveClosed() bool {
	if e.closing.Known {
		return e.closing.Closed
	}
	return !e.noFIN()
}

// closedHere reports whether this side's FIN had been seen to go first.
func (e *evidence) closedHere() bool {
	return e.seen == finWait1 || e.seen == finWait2 || e.seen == closing
}

// conclude says how a connection ended, and whether nothing else is possible.
func (e *evidence) conclude() (how How, certain bool) {
	switch {
	case e.end.erased():
		return e.concludeErased()
	case !e.end.info.hasBytesSent: // Linux before 4.19
		return e.concludeOld()
	case e.timedOut():
		return TimedOut, e.dump.abortOnTimeout >= e.expired
	case e.end.finAcknowledged():
		return e.concludeFIN()
	case e.closedHere():
		return FINSent, true
	case e.end.finSent():
		return e.concludePendingFIN()
	case e.peerClosed():
		return FINReceived, true // a RST may have followed
	}
	return e.concludeAbort()
}

// timedOut reports whether the kernel gave up: it had waited for an answer that did not come and, in this very time,
// counted a timeout.
func (e *evidence) timedOut() bool {
	return (e.end.info.retransmits > 0 || e.end.info.probes > 0) && e.dump.abortOnTimeout > 0
}

// concludeErased is about a socket that was disconnected: SO_LINGER 0, unless the connection had ended before.
func (e *evidence) concludeErased() (how How, certain bool) {
	switch {
	case e.captured:
		return ResetReceived, true
	case e.seen == closeWait:
		return FINReceived, true
	case e.gone && e.dump.abortOnData == 0: // it had ended before its process closed it
		return e.concludeReset()
	case e.gone && e.others():
		return Unknown, false
	case e.closing.Known:
		return ResetSent, !e.closing.FIN
	}
	return ResetSent, e.seen == established
}

// concludeOld is without the kernel's count of bytes sent.
func (e *evidence) concludeOld() (how How, certain bool) {
	switch {
	case e.captured:
		return ResetReceived, true
	case e.after != 0 || e.closedHere():
		return FINSent, true
	case e.peerClosed():
		return FINReceived, true
	}
	return Unknown, false
}

// concludeFIN is about a connection whose own FIN was acknowledged. The one who closes first keeps a TIME_WAIT (RFC
// 9293 section 3.6), and before that Linux a FIN_WAIT2 with as little as that. There may be none although this side
// closed first: a RST ends it (RFC 1337).
func (e *evidence) concludeFIN() (how How, certain bool) {
	switch {
	case e.after != 0 || e.closedHere():
		return FINSent, true
	case e.seen == closeWait || e.seen == lastACK:
		return FINReceived, true
	case e.noFIN() || e.closing.Known && !e.closing.Closed || e.closing.Answered: // this was no LAST_ACK
		return FINSent, true
	case e.peerClosed() && e.end.readQueue == 0: // the process had read the FIN before it closed
		return FINReceived, true
	case e.dump.timeWaitOverflow > 0: // there may have been no TIME_WAIT
		return Unknown, false
	case e.closing.Closed, e.stays && e.end.readQueue <= 1: // or both closed at the same time
		return FINReceived, false
	}
	return Unknown, false
}

// concludePendingFIN is about a connection whose own FIN was not acknowledged: a RST answered it, or data came after
// the close. A peer's FIN that was not read may have crossed it.
func (e *evidence) concludePendingFIN() (how How, certain bool) {
	switch {
	case e.peerClosed():
		return FINReceived, e.seen == closeWait || e.seen == lastACK || e.end.readQueue == 0
	case e.closing.Known || e.noFIN():
		return FINSent, true
	}
	return Unknown, false
}

// concludeAbort is about a connection that ended without a FIN of this side: by a RST, sent or received.
func (e *evidence) concludeAbort() (how How, certain bool) {
	unread := e.end.readQueue > 0
	switch {
	case e.captured:
		return ResetReceived, true
	case unread && e.closing.Known && !e.closing.FIN:
		return ResetSent, true
	case unread && e.gone && e.dump.abortOnClose > 0:
		if e.others() {
			return Unknown, false
		}
		return ResetSent, true
	case unread && !e.gone && e.batch.abortOnClose >= e.unread && e.unread > 0:
		return ResetSent, true
	case unread && !e.gone && e.dump.abortOnClose > 0:
		return Unknown, false // one of several
	}
	return e.concludeReset()
}

// others reports whether more connections were reset than this host's own closing accounts for.
func (e *evidence) others() bool { return e.dump.estabResets > e.dump.abortOnClose+e.dump.abortOnData }

// concludeReset is about a connection that this host has not reset by closing it.
func (e *evidence) concludeReset() (how How, certain bool) {
	if e.dump.estabResets == 0 || e.end.erased() && e.dump.abortOnTimeout > 0 {
		return Unknown, false
	}
	alone := e.dump.resetsSent == 0 && e.dump.abortOnTimeout == 0
	return ResetReceived, alone && !e.end.erased() && !e.mayHaveClosed()
}

// stays reports whether a TIME_WAIT of this end could have been gone when it was looked for only where the peer, or
// this side, has sent a RST: a peer that has answered all that it was sent has no data unread, for which it would send
// one.
func (s *sighting) stays() bool {
	return s.prompt && s.lost() == NothingLost && !s.sentAtClose()
}

// lost says what was lost. What is sent right before this side's FIN is no request: TLS has its close_notify there (RFC
// 8446 section 6.1).
func (s *sighting) lost() Lost {
	i := &s.info
	if s.erased() || !i.hasBytesSent || i.bytesSent == 0 {
		return NothingLost
	}
	if s.sentAtClose() {
		return NothingLost
	}
	queued := int64(s.writeQueue)
	if s.finSent() && !s.finAcknowledged() {
		queued--
	}
	switch {
	case queued > 0 && !s.finAcknowledged():
		return Unacknowledged
	case i.lastSent < i.lastReceived:
		return Unanswered
	}
	return NothingLost
}

// sentAtClose reports whether the last data was sent right before the FIN. The kernel reports an end some time later,
// hence two times are compared where there are two.
func (s *sighting) sentAtClose() bool {
	if s.finAcknowledged() {
		return s.info.lastSent-s.info.lastACK <= 50*time.Millisecond+2*s.info.rtt
	}
	return s.finSent() && s.info.lastSent < time.Second
}

// idle is for how long no data had been sent or received. Of a socket that was disconnected it is since the last
// acknowledgement, which comes with what is received.
func (s *sighting) idle() time.Duration {
	if s.erased() {
		return min(s.info.lastSent, s.info.lastACK)
	}
	return min(s.info.lastSent, s.info.lastReceived)
}

// sinceReceived is for how long no data had been received; of a socket that was disconnected, idle.
func (s *sighting) sinceReceived() time.Duration {
	if s.erased() {
		return s.idle()
	}
	return s.info.lastReceived
}
