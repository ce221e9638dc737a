package egress

import (
	"net/netip"
	"strings"
	"testing"

	"errno_exporter/prober/result"
)

// Networks count, not targets: of targets on one host that is gone nothing follows for our outbound connectivity.
func TestNetworks(t *testing.T) {
	silent := &result.Failure{Phase: result.Connect, Reason: result.TCPTimedOut, Origin: result.Self}
	nameless := &result.Failure{Phase: result.Resolve, Reason: result.DNSTimedOut, Origin: result.Self}
	probed := func(addr string, f *result.Failure) *result.Result {
		hop := result.Hop{}
		if addr != "" {
			hop.Addr = netip.AddrPortFrom(netip.MustParseAddr(addr), 443)
		}
		return &result.Result{Failure: f, Attempts: []result.Attempt{{Hops: []result.Hop{hop}}}}
	}
	for _, row := range []struct {
		name              string
		results           []*result.Result // the first is the target's
		unreached, others int
	}{
		{"alone", []*result.Result{probed("192.0.2.1", silent)}, 0, 0},
		{"three targets on one host", []*result.Result{probed("192.0.2.1", silent), probed("192.0.2.1", silent),
			probed("192.0.2.9", silent)}, 0, 0},
		{"two other networks", []*result.Result{probed("192.0.2.1", silent), probed("198.51.100.1", silent),
			probed("203.0.113.1", silent)}, 2, 2},
		{"one of them is reached", []*result.Result{probed("192.0.2.1", silent), probed("198.51.100.1", silent),
			probed("203.0.113.1", nil)}, 1, 2},
		{"one target of a network is reached", []*result.Result{probed("192.0.2.1", silent),
			probed("198.51.100.1", silent), probed("198.51.100.2", nil)}, 0, 1},
		{"IPv6 by /48", []*result.Result{probed("2001:db8::1", silent), probed("2001:db8:0:1::1", silent),
			probed("2001:db8:1::1", silent)}, 1, 1},
		{"names that are not resolved are the resolver's",
			[]*result.Result{probed("192.0.2.1", silent), probed("", nameless), probed("", nameless)}, 1, 1},
	} {
		var targets []Seen
		for _, r := range row.results {
			targets = append(targets, Seen{Failure: r.Failure, Network: Network(r)})
		}
		a := Assess(State{}, len(targets), targets)
		if unreached, others := a.Beside(Network(row.results[0])); unreached != row.unreached || others != row.others {
			t.Errorf("%s: %d of %d networks are unreached, want %d of %d", row.name, unreached, others, row.unreached,
				row.others)
		}
	}
}

// down are cases of the rule. TestRecordingRule has the same decided in PromQL.
var down = []struct {
	name       string
	references string // up, down, or empty for none
	targets    []string
	want       bool
}{
	{"all succeed", "", []string{"1", "2", "3"}, false},
	{"three of five in three networks", "", []string{"1 silent", "2 silent", "3 silent", "4", "5"}, true},
	{"three of five, one not resolved, in two networks", "", []string{"1 silent", "2 silent", "1 servfail", "4", "5"},
		true},
	{"half", "", []string{"1 silent", "2 silent", "3 silent", "4", "5", "6"}, true},
	{"less than half", "", []string{"1 silent", "2 silent", "3 silent", "4", "5", "6", "7"}, false},
	{"two of two", "", []string{"1 silent", "2 silent"}, false},
	{"one network", "", []string{"1 silent", "1 silent", "1 silent"}, false},
	{"two networks", "", []string{"1 silent", "1 silent", "2 silent"}, true},
	{"refused", "", []string{"1 refused", "2 refused", "3 refused"}, false},
	{"names that do not exist", "", []string{"1 nxdomain", "2 nxdomain", "3 nxdomain"}, false},
	{"no name is resolved", "", []string{"1 servfail", "2 servfail", "3 servfail"}, true},
	{"no name is resolved, and none ever was", "", []string{"0 servfail", "0 servfail", "0 servfail"}, false},
	{"the proxy does not answer", "", []string{"1 proxy", "2 proxy", "3 proxy"}, true},
	{"the proxy refuses", "", []string{"1 proxyrefused", "2 proxyrefused", "3 proxyrefused"}, false},
	{"no file descriptors", "", []string{"1 fds", "2 fds", "3 fds"}, false},
	{"reference targets are reached", "up", []string{"1 silent", "2 silent", "3 silent"}, false},
	{"no reference target is reached", "down", []string{"1", "2", "3"}, true},
}

var failures = map[string]*result.Failure{
	"":             nil,
	"silent":       {Phase: result.Connect, Reason: result.TCPTimedOut, Origin: result.Self},
	"refused":      {Phase: result.Connect, Reason: result.TCPRefused, Origin: result.Peer},
	"nxdomain":     {Phase: result.Resolve, Reason: result.DNSNameNotResolved, Origin: result.Peer},
	"servfail":     {Phase: result.Resolve, Reason: result.DNSServfail, Origin: result.Peer},
	"proxy":        {Phase: result.Proxy, Reason: result.TCPTimedOut, Origin: result.Self},
	"proxyrefused": {Phase: result.Proxy, Reason: result.TCPRefused, Origin: result.Peer},
	"fds":          {Phase: result.Connect, Reason: result.LocalFDExhausted, Origin: result.Local},
}

// target reads "1 silent": the number of its network, 0 for none, and its failure.
func target(text string) Seen {
	var dialed netip.Prefix
	if text[0] != '0' {
		dialed = netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, text[0], 0}), 24)
	}
	failure, network := failures[trimmed(text)], dialed
	if failure != nil && failure.Phase == result.Resolve {
		network = netip.Prefix{} // the name was resolved earlier
	}
	return Seen{failure, network, dialed}
}

func trimmed(text string) string { return strings.TrimSpace(text[1:]) }

func TestDown(t *testing.T) {
	for _, row := range down {
		var targets []Seen
		for _, text := range row.targets {
			targets = append(targets, target(text))
		}
		a := Assess(State{Known: row.references != "", Up: row.references == "up"}, len(targets), targets)
		if got := a.Down(); got != row.want {
			t.Errorf("%s: Down() = %t, want %t: %+v", row.name, got, row.want, a)
		}
	}
}
