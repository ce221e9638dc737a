package incident

import (
	"net/netip"
	"net/url"
	"slices"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/prober/result"
)

// togetherWithin is how far apart incidents of one group may begin: targets are probed once a minute or so.
const togetherWithin = 5 * time.Minute

// Group is incidents of several targets that have what fails, why, where and the time in common. One incident alone is
// a group, too.
type Group struct {
	Shared    Shared      `json:"shared"`
	Where     string      `json:"where"`     // a network, a host's name, or empty
	Incidents []*Incident `json:"incidents"` // the oldest first
}

// Shared is the place that the incidents of a group have in common.
type Shared string

// The places.
const (
	OnNetwork  Shared = "network"  // of the addresses: /24, /48
	OnHost     Shared = "host"     // of the URLs, where no address is known
	OnResolver Shared = "resolver" // names are not resolved
	OnExporter Shared = "exporter" // the verdict is that the fault is on the exporter's side
)

// alike is what the incidents of a group share.
type alike struct {
	phase  result.Phase
	reason result.Reason
	errno  string
	cause  cause.Cause
	shared Shared
	where  string
}

// Groups puts incidents into groups, those with the newest incident first.
func Groups(incidents []*Incident) []Group {
	sorted := slices.SortedFunc(slices.Values(incidents), func(a, b *Incident) int {
		if d := a.Begin.Compare(b.Begin); d != 0 {
			return d
		}
		return a.ID.Compare(b.ID)
	})
	var groups []Group
	newest := map[alike]int{} // group of each kind, to which the next may belong
	for _, i := range sorted {
		key := i.alike()
		at, known := newest[key]
		if known && i.Begin.Sub(groups[at].Incidents[0].Begin) <= togetherWithin {
			groups[at].Incidents = append(groups[at].Incidents, i)
			continue
		}
		newest[key] = len(groups)
		groups = append(groups, Group{Shared: key.shared, Where: key.where, Incidents: []*Incident{i}})
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return b.last().ID.Compare(a.last().ID) })
	return groups
}

func (g *Group) last() *Incident { return g.Incidents[len(g.Incidents)-1] }

// alike is what the incident may share with others.
func (i *Incident) alike() alike {
	k := i.Main()
	a := alike{phase: k.Phase, reason: k.Reason, errno: k.Errno, cause: i.Cause()}
	switch {
	case i.Verdict != nil && i.Verdict.Party == cause.Us:
		a.shared = OnExporter
	case k.Phase == result.Resolve:
		a.shared = OnResolver
	default:
		a.shared, a.where = i.place()
	}
	return a
}

// place is the network of the first address, or the URL's host.
func (i *Incident) place() (Shared, string) {
	for _, known := range i.Addresses {
		if known.Failed == 0 {
			continue
		}
		if n, ok := network(known.Address); ok {
			return OnNetwork, n.String()
		}
	}
	u, err := url.Parse(i.URL)
	if err != nil {
		return OnHost, i.URL
	}
	return OnHost, u.Hostname()
}

// network is the /24 or /48 of an address, with or without a port.
func network(text string) (netip.Prefix, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Prefix{}, false
		}
		addr = withPort.Addr()
	}
	bits := 48
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		bits = 24
	}
	p, err := addr.Prefix(bits)
	return p, err == nil
}

// Targets are the names of the group's targets, sorted, each once.
func (g *Group) Targets() []string {
	names := make([]string, len(g.Incidents))
	for n, i := range g.Incidents {
		names[n] = i.Target
	}
	slices.Sort(names)
	return slices.Compact(names)
}
