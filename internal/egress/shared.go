package egress

import (
	"net/netip"
	"sync"
	"time"

	"errno_exporter/prober/result"
)

// Shared fate. Losses and resets in unrelated networks within one minute are signs of our own egress, where those
// networks work otherwise:
//
//   - A network (/24 or /48) is affected if something was lost or reset in it during the last minute, and an exchange
//     with it succeeded within the last ten: a server that always fails says nothing of our egress. Loopback is none.
//   - Name servers are networks of their own: lost questions count there, and their answers are successes.
//   - Our egress is impaired, as the failure of one target sees it, if at least two other networks are affected, and at
//     least a third of those that were probed within the minute.

// Sign is a kind of loss.
type Sign int

// The signs.
const (
	SYNRetransmit Sign = iota // a SYN was retransmitted
	Reset                     // a connection was reset
	Timeout                   // a connection was not established in time, or nothing was acknowledged any more
	DNSLoss                   // a name server did not answer a question
	signs
)

// Signs are the names of all signs.
var Signs = [signs]string{"syn_retransmit", "reset", "timeout", "dns_loss"}

const (
	affectedFor = time.Minute
	workedFor   = 10 * time.Minute
	maxNetworks = 4096

	minAffected   = 2
	affectedShare = 3 // at least one of so many
)

// Shared is what was seen lately of all networks. The zero value has seen none; it may be used by many goroutines.
type Shared struct {
	mu       sync.Mutex // guards what follows
	networks map[netip.Prefix]*fate
	purged   time.Time
}

// fate is when something was last seen in a network; zero for never.
type fate struct {
	probed, worked time.Time
	signs          [signs]time.Time
}

// What a network takes in memory, in bytes.
const perNetwork = 256

// Size is about how many bytes of memory the networks take.
func (s *Shared) Size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return perNetwork * len(s.networks)
}

// Observe takes from a result what it shows of the networks that it reached or not.
func (s *Shared) Observe(r *result.Result, ended time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lookup *result.Lookup
	for a := range r.Every() {
		for i := range a.Hops {
			h := &a.Hops[i]
			if h.Lookup != nil && h.Lookup != lookup {
				lookup = h.Lookup
				s.observeNames(lookup, ended)
			}
			s.observeHop(h, failureAt(a, i), ended)
		}
	}
}

// failureAt is the failure of an attempt if it is that of a hop; nil if the hop succeeded.
func failureAt(a *result.Attempt, hop int) *result.Failure {
	if hop < len(a.Hops)-1 || a.Failure != nil && a.Failure.Phase == result.Validate {
		return nil
	}
	return a.Failure
}

func (s *Shared) observeHop(h *result.Hop, f *result.Failure, ended time.Time) {
	if f != nil && (f.Phase == result.Resolve || f.Origin == result.Local) {
		return
	}
	seen := s.of(h.Addr.Addr(), ended)
	if seen == nil {
		return
	}
	if f == nil {
		seen.worked = ended
	}
	if h.Wire != nil && h.Wire.SYNRetransmits > 0 {
		seen.signs[SYNRetransmit] = ended
	}
	if f == nil {
		return
	}
	switch f.Reason {
	case result.TCPReset:
		seen.signs[Reset] = ended
	case result.TCPTimedOut, result.TCPAborted, result.QUICTimedOut:
		seen.signs[Timeout] = ended
	}
}

// observeNames takes what became of questions to name servers.
func (s *Shared) observeNames(l *result.Lookup, ended time.Time) {
	for i := range l.Exchanges {
		e := &l.Exchanges[i]
		server, err := netip.ParseAddrPort(e.Server)
		if err != nil || !e.Sent { // a URL, or a question that did not leave this host
			continue
		}
		seen := s.of(server.Addr(), ended)
		switch {
		case seen == nil:
		case e.RCode != result.NoRCode:
			seen.worked = ended
		case !e.GivenUp && e.Errno == 0:
			seen.signs[DNSLoss] = ended
		}
	}
}

// ObserveReference takes whether the reference target at an address answered.
func (s *Shared) ObserveReference(address string, r Reference, ended time.Time) {
	to, err := netip.ParseAddrPort(address)
	if err != nil { // a name
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.of(to.Addr(), ended)
	switch {
	case seen == nil:
	case r.Up:
		seen.worked = ended
	default:
		seen.signs[Timeout] = ended
	}
}

// of is the fate of an address's network, noted as probed; nil for none, and where there are too many.
func (s *Shared) of(addr netip.Addr, at time.Time) *fate {
	if !addr.IsValid() || addr.IsLoopback() {
		return nil
	}
	network := networkOf(addr)
	seen := s.networks[network]
	if seen == nil {
		if s.networks == nil {
			s.networks = map[netip.Prefix]*fate{}
		}
		if len(s.networks) >= maxNetworks && !s.purge(at) {
			return nil
		}
		seen = new(fate)
		s.networks[network] = seen
	}
	if at.After(seen.probed) {
		seen.probed = at
	}
	return seen
}

// purge forgets networks that were not probed lately, at most once a minute. It reports whether there is room.
func (s *Shared) purge(now time.Time) bool {
	if now.Sub(s.purged) >= affectedFor {
		s.purged = now
		for network, seen := range s.networks {
			if now.Sub(seen.probed) > workedFor {
				delete(s.networks, network)
			}
		}
	}
	return len(s.networks) < maxNetworks
}

// Fate is how many networks were affected within the last minute.
type Fate struct {
	Networks int        // probed within the minute
	Affected int        // of them, by any sign
	BySign   [signs]int // of them
}

// Beside counts the networks other than a target's own; a zero prefix is nobody's own.
func (s *Shared) Beside(own netip.Prefix, now time.Time) Fate {
	s.mu.Lock()
	defer s.mu.Unlock()
	var f Fate
	for network, seen := range s.networks {
		if network == own || now.Sub(seen.probed) > affectedFor {
			continue
		}
		f.Networks++
		if now.Sub(seen.worked) > workedFor {
			continue
		}
		affected := false
		for sign, at := range seen.signs {
			if now.Sub(at) <= affectedFor {
				f.BySign[sign]++
				affected = true
			}
		}
		if affected {
			f.Affected++
		}
	}
	return f
}

// Impaired reports whether our egress is impaired by the rule above.
func (f *Fate) Impaired() bool {
	return f.Affected >= minAffected && affectedShare*f.Affected >= f.Networks
}
