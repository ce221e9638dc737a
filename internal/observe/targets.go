package observe

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// remembered is for how long an address is a target's after it was learned, or had a connection.
const remembered = time.Hour

// maxAddresses bounds the addresses of all targets.
const maxAddresses = 64 << 10

// tally is what is known of a target's connections.
type tally struct {
	name    string
	last    Connections // at the last dump, and the counters
	dumping Connections // of the dump that is under way
	rtts    int         // connections with a round-trip time in it
	open    openCount   // of it, by container
	listed  bool        // a dump was made since it was learned
}

// targets are the addresses that are watched.
type targets struct {
	networks  []Network
	leastPort uint16 // that a client here gets

	mu        sync.Mutex // guards what follows
	tallies   map[string]*tally
	addresses map[netip.AddrPort]*learned
	hosts     map[netip.Addr]netip.AddrPort // the only address of a host, or its port is 0: for sockets without a port
	changed   bool                          // since the last request was made
	fresh     bool                          // whether an address has targets that are fresh
}

// learned are the targets of an address.
type learned struct {
	until   time.Time
	tallies []*tally
	fresh   []*tally // of these, those for which the tracked sockets do not count as opened yet
}

func newTargets(networks []Network) *targets {
	t := &targets{networks: networks, leastPort: leastPort(defaultPorts),
		tallies: map[string]*tally{}, addresses: map[netip.AddrPort]*learned{},
		changed: true}
	for _, n := range networks {
		t.tally(n.Name)
	}
	return t
}

// tally is that of a target, which is made where there is none. The caller holds mu.
func (t *targets) tally(name string) *tally {
	one := t.tallies[name]
	if one == nil {
		one = &tally{name: name, last: newConnections()}
		t.tallies[name] = one
	}
	return one
}

func newConnections() Connections {
	return Connections{States: map[string]int{}, Ended: map[Ending]uint64{}, Lost: map[Lost]uint64{}}
}

// learn notes a target's addresses.
func (t *targets) learn(target string, addresses []netip.AddrPort, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.tally(target)
	for _, a := range addresses {
		a = netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
		known := t.addresses[a]
		if known == nil {
			if len(t.addresses) >= maxAddresses {
				continue
			}
			known = new(learned)
			t.addresses[a] = known
			t.changed, t.hosts = true, nil
		}
		known.until = now.Add(remembered)
		if !slices.Contains(known.tallies, one) {
			known.tallies, known.fresh = append(known.tallies, one), append(known.fresh, one)
			t.fresh = true
		}
	}
}

// open counts a connection as opened. For targets that are fresh adopt does it. The caller holds mu.
func (t *targets) open(remote netip.AddrPort, of []*tally) {
	known := t.addresses[remote]
	for _, one := range of {
		if known == nil || !slices.Contains(known.fresh, one) {
			one.last.Opened++
		}
	}
}

// adopt counts the sockets that are tracked as opened for targets that are fresh: what was a network's, or another
// target's alone, is theirs from now on.
func (t *targets) adopt(sockets *table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.fresh {
		return
	}
	t.fresh = false
	sockets.each(func(r *record) {
		_, remote := r.addresses()
		if known := t.addresses[remote]; known != nil {
			for _, one := range known.fresh {
				one.last.Opened++
			}
		}
	})
	for _, known := range t.addresses {
		known.fresh = nil
	}
}

// of are the targets of a peer. The caller holds mu.
func (t *targets) of(local, remote netip.AddrPort) []*tally {
	if known := t.addresses[remote]; known != nil {
		return known.tallies
	}
	for _, n := range t.networks {
		if n.Prefix.Contains(remote.Addr()) && local.Port() >= t.leastPort {
			return []*tally{t.tallies[n.Name]}
		}
	}
	return nil
}

// defaultPorts is the default of ip_local_port_range (Documentation/networking/ip-sysctl.rst), of which the first is
// the least port that a client gets: connections that come from a network to a server here have a lesser one.
const defaultPorts = "32768 60999"

// leastPort is the first of two ports.
func leastPort(ports string) uint16 {
	if fields := strings.Fields(ports); len(fields) == 2 {
		if port, err := strconv.ParseUint(fields[0], 10, 16); err == nil {
			return uint16(port)
		}
	}
	return leastPort(defaultPorts)
}

// ofHost are the targets of a peer whose port is not known: those of the only port of its host that is a target's.
// Where there are several ports, or the host is this one, nobody can tell whose connection it was. The caller holds mu.
func (t *targets) ofHost(local netip.AddrPort, host netip.Addr) []*tally {
	if t.hosts == nil {
		t.hosts = map[netip.Addr]netip.AddrPort{}
		for a := range t.addresses {
			if _, several := t.hosts[a.Addr()]; several {
				a = netip.AddrPortFrom(a.Addr(), 0)
			}
			t.hosts[a.Addr()] = a
		}
	}
	if local.Port() < t.leastPort || host.IsLoopback() {
		return nil
	}
	only, found := t.hosts[host]
	switch {
	case !found:
		return t.of(local, netip.AddrPortFrom(host, 0))
	case only.Port() == 0:
		return nil
	}
	return t.addresses[only].tallies
}

// forget drops what was learned long ago, and reports whether the conditions have changed since the last call.
func (t *targets) forget(now time.Time) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for a, known := range t.addresses {
		if now.After(known.until) {
			delete(t.addresses, a)
			t.hosts, t.changed = nil, true
		}
	}
	changed, t.changed = t.changed, false
	return changed
}

// conditions are what the kernel filters by.
func (t *targets) conditions() []condition {
	t.mu.Lock()
	defer t.mu.Unlock()
	conditions := make([]condition, 0, len(t.addresses)+len(t.networks))
	for a := range t.addresses {
		conditions = append(conditions, condition{netip.PrefixFrom(a.Addr(), a.Addr().BitLen()), a.Port()})
	}
	for _, n := range t.networks {
		conditions = append(conditions, condition{network: n.Prefix})
	}
	return conditions
}

// connections is a copy of what is known of a target.
func (t *targets) connections(target string) (Connections, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.tallies[target]
	if one == nil {
		return Connections{}, false
	}
	c := one.last
	c.States, c.Ended, c.Lost = maps.Clone(c.States), maps.Clone(c.Ended), maps.Clone(c.Lost)
	c.Congestion, c.Containers = maps.Clone(c.Congestion), maps.Clone(c.Containers)
	return c, true
}

// begin begins the count of a dump. The caller holds mu.
func (t *targets) begin() {
	for _, one := range t.tallies {
		one.dumping, one.rtts, one.open = Connections{States: map[string]int{}}, 0, openCount{}
	}
}

// finish makes it what is known. The caller holds mu.
func (t *targets) finish() {
	for _, one := range t.tallies {
		if one.dumping.States == nil { // learned meanwhile
			continue
		}
		if n := time.Duration(one.rtts); n > 0 {
			one.dumping.TCP.RTT /= n
			one.dumping.TCP.RTTVariance /= n
			one.dumping.TCP.Window /= uint64(n)
		}
		one.listed = true
		one.contained()
		one.last.States, one.last.TCP = one.dumping.States, one.dumping.TCP
		one.last.Congestion = one.dumping.Congestion
		one.last.OldestCloseWait = one.dumping.OldestCloseWait
	}
}

// count adds a connection to the dump.
func (t *tally) count(s *sighting) {
	if t.dumping.States == nil {
		return
	}
	t.dumping.States[s.state.String()]++
	if !s.info.known {
		return
	}
	sum, tcp := &t.dumping.TCP, s.tcp()
	if tcp.RTT > 0 {
		t.rtts++
		sum.Window += tcp.Window
	}
	t.dumping.congested(tcp.Congestion)
	sum.RTT += tcp.RTT
	sum.RTTVariance += tcp.RTTVariance
	sum.Retransmits += tcp.Retransmits
	sum.Unacknowledged += tcp.Unacknowledged
	sum.BytesSent += tcp.BytesSent
	sum.BytesReceived += tcp.BytesReceived
}

// tcp is the kernel's view of one connection.
func (s *sighting) tcp() TCP {
	i := &s.info
	tcp := TCP{RTT: i.rtt, RTTVariance: i.rttVariance, Retransmits: uint64(i.totalRetransmits),
		Unacknowledged: uint64(i.unacknowledged), BytesReceived: i.bytesReceived,
		Window: i.window, Congestion: i.congestion.String()}
	if i.hasBytesSent {
		tcp.BytesSent = i.bytesSent - i.bytesRetransmit
		tcp.Unacknowledged = uint64(max(0, s.outstanding()))
	}
	if s.erased() {
		return TCP{}
	}
	return tcp
}
