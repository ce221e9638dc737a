package observe

import (
	"net/netip"
	"slices"
	"time"

	"errno_exporter/prober/result"
)

// batch bounds how many ends wait.
const batch = 4096

// drain reads the ends that have come. How each came is concluded when the counters are read the next time, which costs
// as much as dozens of ends.
func (o *Observer) drain() {
	for more := true; more; {
		before := len(o.pending)
		o.events.drain(batch-before, func(datagram []byte) { messages(datagram, o.pend) })
		if more = len(o.pending) >= batch; more {
			o.conclude(o.readCounts())
		}
	}
}

// pend keeps an end until the others that have come are read, too.
func (o *Observer) pend(kind uint16, body []byte) {
	var s sighting
	if kind == typeSocket && parseSocket(body, &s) {
		s.at = time.Now()
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
	e.batch, e.dump = now.since(o.atEvents), now.since(o.atDump)
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
	at := e.end.at
	end := End{Local: e.end.local, Remote: e.end.remote, Idle: e.end.idle(), Age: -1, Lost: e.end.lost(), TCP: e.end.tcp(),
		SinceReceived: e.end.sinceReceived()}
	if r != nil {
		end.Local, end.Remote = r.addresses()
		end.Age = max(0, o.between(r.first, at))
		e.seen, e.received = r.state, r.received
		e.sameData = e.end.info.dataSegmentsIn == r.segments
		if r.gone != 0 {
			held := max(0, o.between(r.gone, at))
			e.gone, e.dump = true, r.why.counts()
			at, end.Age, end.Idle = at.Add(-held), max(0, end.Age-held), max(0, end.Idle-held)
			end.SinceReceived = max(0, end.SinceReceived-held)
		} else if r.closeWait != 0 {
			waited := max(0, o.between(r.closeWait, at))
			end.Idle, end.SinceReceived = max(0, end.Idle-waited), max(0, end.SinceReceived-waited)
		}
	}
	end.At = at
	if e.end.finAcknowledged() {
		e.after = o.find(end.Local, end.Remote)
	}
	o.captured(e, &end)
	end.How, end.Certain = e.conclude()
	if end.How != ResetReceived && end.How != FINReceived {
		end.Origin = ""
	}
	o.count(&end, of)
	if o.options.Ended != nil {
		for _, one := range of {
			each := end
			each.Target = one.name
			o.options.Ended(&each)
		}
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
	}
}

// captured asks the capture for the RST that ended the connection, and says who sent it.
func (o *Observer) captured(e *evidence, end *End) {
	if o.options.Capture == nil || e.end.finAcknowledged() {
		return
	}
	rst := o.options.Capture.Ended(&result.Wire{Local: end.Local, Remote: end.Remote})
	if rst == nil {
		return
	}
	e.captured = true
	end.Origin = result.Peer
	var failure result.Failure
	failure.Origin = result.Peer
	rst.Correct(&failure)
	end.Origin = failure.Origin
}
