package watch

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/prober/result"
)

// Rounds of experiments are bounded by the hour, and there is one at a time.
func TestDiagnoseBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observed
		failed := result.Result{Failure: &result.Failure{}, Attempts: []result.Attempt{{Hops: []result.Hop{{}}}}}
		for _, step := range []struct {
			after time.Duration
			may   bool
			ends  bool
		}{
			{0, true, false},
			{time.Minute, false, true}, // the first is still under way
			{time.Minute, true, true},
			{time.Minute, false, false}, // two of two
			{50 * time.Minute, false, false},
			{10 * time.Minute, true, true}, // the first is more than an hour ago
		} {
			time.Sleep(step.after)
			if may := o.begin(2); may != step.may {
				t.Errorf("after %s: begin() = %t, want %t", step.after, may, step.may)
			}
			if step.ends {
				o.end(&failed, []result.Control{{Kind: result.Again}})
			}
		}
	})
}

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
		{"three targets on one host", []*result.Result{probed("192.0.2.1", silent), probed("192.0.2.1", silent), probed("192.0.2.9", silent)}, 0, 0},
		{"two other networks", []*result.Result{probed("192.0.2.1", silent), probed("198.51.100.1", silent), probed("203.0.113.1", silent)}, 2, 2},
		{"one of them is reached", []*result.Result{probed("192.0.2.1", silent), probed("198.51.100.1", silent), probed("203.0.113.1", nil)}, 1, 2},
		{"one target of a network is reached", []*result.Result{probed("192.0.2.1", silent), probed("198.51.100.1", silent), probed("198.51.100.2", nil)}, 0, 1},
		{"IPv6 by /48", []*result.Result{probed("2001:db8::1", silent), probed("2001:db8:0:1::1", silent), probed("2001:db8:1::1", silent)}, 1, 1},
		{"names that are not resolved are the resolver's", []*result.Result{probed("192.0.2.1", silent), probed("", nameless), probed("", nameless)}, 1, 1},
	} {
		if unreached, others := beside(networkOf(row.results[0]), networksReached(row.results)); unreached != row.unreached || others != row.others {
			t.Errorf("%s: %d of %d networks are unreached, want %d of %d", row.name, unreached, others, row.unreached, row.others)
		}
	}
}

// What became of kept connections is remembered, each fate once, and the number is bounded.
func TestKeptFates(t *testing.T) {
	var o observed
	at := time.Now()
	for i := range 2 * maxFates {
		fate := cause.Kept{Age: time.Minute, At: at.Add(time.Duration(i) * time.Minute)}
		o.addKept([]cause.Kept{fate})
		o.addKept([]cause.Kept{fate})
	}
	if first := at.Add(maxFates * time.Minute); len(o.kept) != maxFates || !o.kept[0].At.Equal(first) {
		t.Errorf("%d fates are kept from %s on, want %d from %s on", len(o.kept), o.kept[0].At, maxFates, first)
	}
}
