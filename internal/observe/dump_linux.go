package observe

import (
	"net/netip"
	"time"
)

// dumpNow dumps, and notes whether it failed: the next one may succeed.
func (o *Observer) dumpNow(now time.Time) {
	err := o.dump(now)
	o.targets.mu.Lock()
	defer o.targets.mu.Unlock()
	o.health.Err = err
}

// dump has the kernel list the sockets, and compares them with those that are tracked.
func (o *Observer) dump(now time.Time) error {
	if o.targets.forget(now) || o.requests == nil {
		o.requests = o.dumpRequests(o.targets.conditions())
	}
	o.targets.adopt(o.sockets)
	before := o.readCounts()
	o.dumped = now
	o.generation++
	o.listed, o.unnamed = nil, nil // the last ones are the caller's
	o.targets.mu.Lock()
	o.targets.begin()
	o.targets.mu.Unlock()
	began := time.Now()
	for _, request := range o.requests {
		if err := o.dumps.ask(request, func(body []byte) { o.list(body, now) }); err != nil {
			return err
		}
	}
	o.took = time.Since(began)
	o.drain() // what has ended meanwhile is missing and yet not gone
	after := o.readCounts()
	o.conclude(after)
	o.sweep(after)
	o.nameContainers()
	if o.options.Dumped != nil {
		o.options.Dumped(o.listed)
	}
	o.targets.mu.Lock()
	defer o.targets.mu.Unlock()
	o.targets.finish()
	o.health.Sockets, o.health.DumpDuration = o.sockets.count, o.took
	o.health.Dumps++
	o.health.EventsLost = o.events.dropped()
	o.atDump, o.atRise = before, time.Time{}
	return nil
}

// dumpRequests are what lists the sockets that meet the conditions: none where there are none.
func (o *Observer) dumpRequests(conditions []condition) [][]byte {
	switch {
	case len(conditions) == 0:
		return nil
	case o.twice:
		return [][]byte{dumpRequest(familyIPv4, conditions), dumpRequest(familyIPv6, conditions)}
	}
	return [][]byte{anyRequest(conditions)}
}

// try finds out whether the kernel lists sockets, and whether it lists those of both families at once.
func (o *Observer) try() error {
	nobody := []condition{{netip.PrefixFrom(netip.IPv4Unspecified(), 32), 1}}
	ignored := func([]byte) {}
	if o.dumps.ask(anyRequest(nobody), ignored) == nil {
		return nil
	}
	o.twice = true
	return o.dumps.ask(dumpRequest(familyIPv4, nobody), ignored)
}

// list notes one socket of a dump.
func (o *Observer) list(body []byte, now time.Time) {
	var s sighting
	if !parseSocket(body, &s) || o.own(s.cookie) {
		return
	}
	o.targets.mu.Lock()
	defer o.targets.mu.Unlock()
	of := o.targets.of(s.local, s.remote)
	if known := o.targets.addresses[s.remote]; known != nil && s.info.known {
		known.until = now.Add(remembered)
	}
	for _, one := range of {
		one.count(&s)
	}
	if len(of) == 0 || !s.info.known || !s.connected() {
		return // TIME_WAIT is none of a process; and a handshake is no connection yet
	}
	r := o.sockets.find(s.cookie)
	if r == nil {
		if r = o.sockets.add(s.cookie); r == nil {
			return
		}
		r.first = o.now()
		r.local, r.localPort = s.local.Addr().As16(), s.local.Port()
		r.remote, r.remotePort = s.remote.Addr().As16(), s.remote.Port()
		o.targets.open(s.remote, of)
		for _, one := range of { // what was before it is observed does not count
			if !one.listed {
				r.counted(&s)
			}
		}
	}
	transmitted(r, &s, of)
	o.contain(r, &s, of)
	o.note(r, &s)
	o.show(r, &s, of)
	if r.closeWait != 0 {
		for _, one := range of {
			one.dumping.OldestCloseWait = max(one.dumping.OldestCloseWait, o.between(r.closeWait, time.Now()))
		}
	}
}

// maxListed bounds the connections that Options.Dumped is called with.
const maxListed = 10_000

// show adds a connection to those that Options.Dumped is called with.
func (o *Observer) show(r *record, s *sighting, of []*tally) {
	if o.options.Dumped == nil {
		return
	}
	for _, one := range of[:min(len(of), maxListed-len(o.listed))] {
		o.listed = append(o.listed, Socket{Target: one.name, Local: s.local, Remote: s.remote, State: s.state.String(),
			Idle: s.idle(), Age: o.between(r.first, time.Now()), TCP: s.tcp(),
			Container: o.containers.names[r.container], cgroup: s.cgroup})
	}
}

// note keeps what the rule needs of a socket.
func (o *Observer) note(r *record, s *sighting) {
	switch {
	case s.state != closeWait:
		r.closeWait = 0
	case r.closeWait == 0: // its FIN was an acknowledgement, too
		r.closeWait = o.now() - min(o.now()-1, moment(s.info.lastACK/(10*time.Millisecond)))
	}
	r.state, r.generation, r.gone, r.why = s.state, o.generation, 0, 0
	r.received, r.segments = s.info.bytesReceived, s.info.dataSegmentsIn
}

// own reports whether a socket is the exporter's own; one in TIME_WAIT has its cookie still.
func (o *Observer) own(cookie uint64) bool { return o.options.Own != nil && o.options.Own(cookie) }

// sweep marks the sockets that the dump has missed and that were not reported as ended: their process still holds them,
// and the connection is gone.
func (o *Observer) sweep(after counts) {
	risen := after.since(o.atDump).why()
	now := o.now()
	if !o.atRise.IsZero() {
		now = moment(o.atRise.Sub(o.began) / (10 * time.Millisecond))
	}
	o.sockets.each(func(r *record) {
		if r.generation == o.generation || r.gone != 0 {
			return
		}
		r.gone, r.why = now, risen
	})
}

// find is a socket with these addresses in TIME_WAIT or FIN_WAIT2; 0 for none.
func (o *Observer) find(local, remote netip.AddrPort) (found state) {
	return o.dumps.askOne(socketRequest(local, remote))
}
