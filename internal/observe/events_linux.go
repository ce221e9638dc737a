package observe

import (
	"net/netip"
	"slices"
	"time"

	"errno_exporter/internal/reset"
	"errno_exporter/prober/result"
)

// batch bounds how many ends wait.
const batch = 4096

// leastTimeout is the least retransmission timeout of TCP_RTO_MIN (linux/net/tcp.h): for so long a peer does not repeat
// the FIN that was acknowledged, and no RST can answer a second acknowledgement (RFC 1337 section 1).
const leastTimeout = 200 * time.Millisecond

// drain reads the ends that have come. How each came is concluded when the counters are read the next time, which costs
// as much as dozens of ends.
func (o *Observer) drain() {
	for more := true; more; {
		before := len(o.pending)
		o.events.drain(batch-before, func(datagram []byte) { messages(datagram, o.pend) })
		emptied := time.Now()
		o.follow(o.pending[before:])
		if more = len(o.pending) >= batch; more {
			o.conclude(o.readCounts())
		} else {
			o.emptied = emptied
		}
	}
}

// follow looks what has followed the ends that have just come, as long as it is there: a TIME_WAIT, or nothing.
func (o *Observer) follow(ends []sighting) {
	for i := range ends {
		s := &ends[i]
		if !s.finAcknowledged() || o.own(s.cookie) || len(o.ofEnd(s.local, s.remote)) == 0 {
			continue
		}
		switch s.after = o.find(s.local, s.remote); s.after {
		case timeWait, finWait2:
		default: // nothing, or the next connection with the same addresses
			s.prompt = s.after == 0 && s.info.lastACK+time.Since(o.emptied) < leastTimeout
			s.after = 0
		}
	}
}

// pend keeps an end until the others that have come are read, too.
func (o *Observer) pend(h header, body []byte) {
	var s sighting
	if h.kind == typeSocket && parseSocket(body, &s) {
		s.at, s.notBefore = time.Now(), o.emptied
		o.pending = append(o.pending, s)
	}
}

// conclude reports the ends that are pending, given the counters.
func (o *Observer) conclude(now counts) {
	if len(o.pending) == 0 {
		return
	}
	o.targets.adopt(o.sockets)
	base := o.surroundings(now)
	for i := range o.pending {
		s := &o.pending[i]
		if o.own(s.cookie) {
			continue
		}
		e := base
		e.end = *s
		r := o.sockets.find(s.cookie)
		local, remote := s.local, s.remote
		if r != nil {
			local, remote = r.addresses()
		} else if !s.connected() {
			continue
		}
		if of := o.ofEnd(local, remote); len(of) > 0 {
			o.end(&e, r, of)
		}
		if r != nil {
			o.sockets.remove(s.cookie)
		}
	}
	if o.pending = o.pending[:0]; cap(o.pending) > batch/4 {
		o.pending = nil
	}
}

// surroundings are the evidence that the pending ends have in common: the counters, and how many of the ends, of
// whichever targets, could account for them.
func (o *Observer) surroundings(now counts) (e evidence) {
	for i := range o.pending {
		s := &o.pending[i]
		if s.connected() && (s.info.retransmits > 0 || s.info.probes > 0) {
			e.expired++
		}
		if s.connected() && s.readQueue > 0 && !s.finSent() {
			e.unread++
		}
	}
	e.batch, e.dump, e.recent = now.since(o.atEvents), now.since(o.atDump), now.since(o.atTicks[0])
	o.atEvents = now
	return e
}

// ofEnd are the targets whose connection has ended.
func (o *Observer) ofEnd(local, remote netip.AddrPort) []*tally {
	o.targets.mu.Lock()
	defer o.targets.mu.Unlock()
	if remote.Port() == 0 {
		return o.targets.ofHost(local, remote.Addr())
	}
	return o.targets.of(local, remote)
}

// end concludes how a connection ended, counts it, and reports it.
func (o *Observer) end(e *evidence, r *record, of []*tally) {
	end := End{Local: e.end.local, Remote: e.end.remote, At: e.end.at, Idle: e.end.idle(), Age: -1, Lost: e.end.lost(),
		TCP: e.end.tcp(), SinceReceived: e.end.sinceReceived()}
	if r != nil {
		end.Local, end.Remote = r.addresses()
		end.Age = max(0, o.between(r.first, end.At))
		e.seen, e.received = r.state, r.received
		e.sameData = e.end.info.dataSegmentsIn == r.segments
		end.Container = o.containers.names[r.container]
	}
	told := end
	switch {
	case r != nil && r.gone != 0:
		e.gone, e.dump = true, r.why.counts()
		end.earlier(max(0, o.between(r.gone, end.At)))
	case r != nil && r.closeWait != 0:
		waited := max(0, o.between(r.closeWait, end.At))
		end.Idle, end.SinceReceived = max(0, end.Idle-waited), max(0, end.SinceReceived-waited)
	case e.end.finAcknowledged(): // which was the last that came: the kernel reports the end when it finds the time
		end.earlier(e.end.info.lastACK)
	}
	e.after, e.stays = e.end.after, e.end.stays() && e.recent.resetsSent == 0
	arrived := o.captured(e, &end)
	end.How, end.Certain = e.conclude()
	if end.How == ResetReceived && !arrived.IsZero() {
		end.endedAt(arrived, &told, e.end.notBefore)
	}
	if end.How != ResetReceived && end.How != FINReceived {
		end.Origin = ""
	}
	o.count(&end, of)
	o.transmitted(r, &e.end, of)
	if o.options.Ended != nil {
		for _, one := range of {
			each := end
			each.Target = one.name
			o.options.Ended(&each)
		}
	}
}

// earlier is for an end that was reported late.
func (e *End) earlier(by time.Duration) {
	e.At = e.At.Add(-by)
	e.Idle, e.SinceReceived = max(0, e.Idle-by), max(0, e.SinceReceived-by)
	if e.Age >= 0 {
		e.Age = max(0, e.Age-by)
	}
}

// endedAt is for an end whose RST was captured, given what the kernel has told of it, and a time before which it has
// not: it is asked twenty times a second.
func (e *End) endedAt(arrived time.Time, told *End, notBefore time.Time) {
	late := max(0, notBefore.Sub(arrived))
	e.At, e.Idle, e.SinceReceived = arrived, max(0, told.Idle-late), max(0, told.SinceReceived-late)
	if told.Age >= 0 {
		e.Age = max(0, told.Age-told.At.Sub(arrived))
	}
}

// count adds an end to the counters of its targets.
func (o *Observer) count(end *End, of []*tally) {
	o.targets.mu.Lock()
	defer o.targets.mu.Unlock()
	known := o.targets.addresses[end.Remote]
	for _, one := range of {
		if end.Age < 0 || known != nil && slices.Contains(known.fresh, one) { // no dump has seen it, or none for this one
			one.last.Opened++
		}
		one.last.Ended[Ending{end.How, end.Origin}]++
		if end.Lost != NothingLost {
			one.last.Lost[end.Lost]++
		}
		one.containerEnded(end)
	}
}

// captured asks the capture for the peer's FIN, and for the RST that ended the connection, and says who sent it. It
// returns when the RST arrived.
func (o *Observer) captured(e *evidence, end *End) (arrived time.Time) {
	if o.options.Capture == nil {
		return arrived
	}
	e.closing = o.options.Capture.Closed(end.Local, end.Remote,
		reset.Bytes{Received: e.end.info.bytesReceived, Acknowledged: e.end.info.bytesAcked})
	if e.end.finAcknowledged() {
		return arrived
	}
	rst := o.options.Capture.Ended(&result.Wire{Local: end.Local, Remote: end.Remote})
	if rst == nil {
		return arrived
	}
	e.captured = true
	end.Origin = result.Peer
	var failure result.Failure
	failure.Origin = result.Peer
	rst.Correct(&failure)
	end.Origin = failure.Origin
	if rst.RST != nil {
		arrived = rst.RST.Arrived
	}
	return arrived
}

// transmitted counts what a connection that has ended retransmitted since the last dump.
func (o *Observer) transmitted(r *record, s *sighting, of []*tally) {
	if s.erased() { // the kernel has forgotten it
		return
	}
	if r == nil {
		r = new(record)
	}
	o.targets.mu.Lock()
	defer o.targets.mu.Unlock()
	transmitted(r, s, of)
}
