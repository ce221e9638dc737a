package cause

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// TestWholeVerdicts compares all that is derived from each situation with testdata/situations.txt: the facts with their
// sentences, the evidence, what is ruled out and why, and what to do next. -update writes the file; its diff is
// reviewed.
func TestWholeVerdicts(t *testing.T) {
	names := factNames(t)
	var b strings.Builder
	for _, row := range slices.Concat(situations(), boundaries()) {
		fmt.Fprintf(&b, "\n# %s\n", row.name)
		if _, k := factsOf(&row.evidence); k != nil {
			var words []string
			for f := range numFacts {
				if f != fails && k[f] == k[fails] {
					words = append(words, names[f])
				} else if k.has(f) {
					fmt.Fprintf(&b, "%s: %s\n", names[f], k[f])
				}
			}
			fmt.Fprintf(&b, "in its words: %s\n", strings.Join(words, " "))
		}
		v, ok := Judge(&row.evidence)
		fmt.Fprintf(&b, "= %s\n", brieflyPut(v, ok))
		for _, line := range v.Evidence {
			fmt.Fprintf(&b, "  - %s\n", line)
		}
		for _, out := range v.RuledOut {
			fmt.Fprintf(&b, "  not %s: %s\n", out.Cause, out.By)
		}
		for _, line := range v.Next {
			fmt.Fprintf(&b, "  next: %s\n", line)
		}
	}
	compareGolden(t, "situations.txt", b.String())
}

// firstDifference is the first line in which two texts differ, under the name of its situation.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	name := ""
	for i := range min(len(a), len(b)) {
		if strings.HasPrefix(a[i], "# ") {
			name = a[i]
		}
		if a[i] != b[i] {
			return fmt.Sprintf("%s\n got %s\nwant %s", name, a[i], b[i])
		}
	}
	return "one has more situations than the other"
}

// boundaries are situations at the bounds of facts; what is derived from them is in testdata/situations.txt.
func boundaries() []situation {
	late := func(o *Digest) { o.Late = 5 * time.Second }
	egress := func(g Egress) Evidence { return after(n(2, unanswered)).egress(g) }
	fresh := func(change func(*Digest)) Evidence {
		o := seen(refused, func(o *Digest) { o.OtherDNS, o.Fresh = true, []netip.Addr{other} }, change)
		return after(n(2, o))
	}
	took := func(ms ...time.Duration) Evidence {
		var all []Digest
		for _, m := range ms {
			all = append(all, worked(m))
		}
		return after(all, n(2, hangs))
	}
	busy := func(o Digest) Evidence { return after(healthy, n(1, o), n(2, refused)) }
	said := func(change ...func(*Digest)) Digest { return status(503, change...) }
	closedPort := func(c result.Experiment, change ...func(*Digest)) Evidence {
		e := after(n(2, seen(refused, change...))).made("again-")
		c.Kind = result.ClosedPort
		e.Experiments.Made = append(e.Experiments.Made, c)
		return e
	}
	refusedPort := result.Experiment{TTL: 60, Failure: &result.Failure{Reason: result.TCPRefused}}
	traced := func(hops ...result.PathHop) Evidence {
		e := after(n(2, unanswered)).made("again-")
		e.Experiments.Made = append(e.Experiments.Made, result.Experiment{Kind: result.PathTrace, Hops: hops})
		return e
	}
	named := func(words string) situation {
		return situation{name: "the addresses " + words,
			evidence: after(n(2, seen(refused, addresses(strings.Fields(words)...))))}
	}
	synAgain := func(n uint32) func(*Digest) { return func(o *Digest) { o.SYNRepeats = n } }
	return []situation{
		{"a reset, and the exporter was late", after(n(2, seen(resetBare, late))), ""},
		{"egress was checked, before the configuration changed", egress(Egress{Up: true, At: began.Add(time.Hour)}), ""},
		{"references are up, others are reached", egress(Egress{Known: true, Up: true, Others: 5, Unreached: 1}), ""},
		{"no other network is reached", egress(Egress{Others: 5, Unreached: 5}), ""},
		{"references are up, the rule has it down", egress(Egress{Known: true, Up: true, Down: true}), ""},
		{"the rule has it down", egress(Egress{Down: true, OutOfReach: 3, Targets: 3}), ""},
		{"names fail, egress is down", after(n(2, failed(result.Resolve, result.DNSTimedOut,
			result.Self))).egress(Egress{Known: true}), ""},
		{"egress is down, a bad status", after(n(2, status(500))).egress(Egress{Known: true}), ""},
		{"the other resolver knows another address", fresh(func(*Digest) {}), ""},
		{"the other resolver did not answer", fresh(func(o *Digest) { o.OtherDNS = false }), ""},
		{"the other resolver has no address", fresh(func(o *Digest) { o.Fresh = nil }), ""},
		{"the other resolver knows this address", fresh(func(o *Digest) { o.Fresh = []netip.Addr{target} }), ""},
		{"no address was dialled", fresh(func(o *Digest) { o.Addr = netip.Addr{} }), ""},
		{"the name was not resolved here", fresh(func(o *Digest) {
			o.Failure = &result.Failure{Phase: result.Resolve, Reason: result.DNSServfail}
		}), ""},
		{"a closed port refuses", closedPort(refusedPort, nearer), ""},
		{"a closed port refuses, from as far", closedPort(refusedPort, reset(result.EndHost, 60, 60, false)), ""},
		{"a closed port refuses, no reset here", closedPort(refusedPort), ""},
		{"a closed port refuses, its TTL is unknown",
			closedPort(result.Experiment{Failure: refusedPort.Failure}, nearer), ""},
		{"a closed port is silent",
			closedPort(result.Experiment{TTL: 60, Failure: &result.Failure{Reason: result.TCPTimedOut}}, nearer), ""},
		{"a closed port accepts", closedPort(result.Experiment{TTL: 60}, nearer), ""},
		{"a trace without hops", traced(), ""},
		{"a trace that arrives", traced(result.PathHop{From: router}, result.PathHop{Reached: true}), ""},
		{"a trace that does not arrive", traced(result.PathHop{From: router}, result.PathHop{}), ""},
		{"an address that is never routed accepts", after(n(2, resetBare)).made("never_routed+"), ""},
		{"an address that is never routed does not accept", after(n(2, resetBare)).made("never_routed-"), ""},
		{"small segments do not help, and the request is small",
			after(n(2, seen(dead, small))).made("again- small_segments-"), ""},
		{"more time helps", after(n(2, hangs)).made("again- more_time+"), ""},
		{"more time does not help", after(n(2, hangs)).made("again- more_time-"), ""},
		named("+192.0.2.1 +192.0.2.2"), named("-192.0.2.1 -192.0.2.2"), named("-192.0.2.1 +192.0.2.2"),
		named("-192.0.2.1 +2001:db8::1"), named("+192.0.2.1 -2001:db8::1"), named("-192.0.2.1 +192.0.2.2 +2001:db8::1"),
		named("-192.0.2.1 -2001:db8::1 +2001:db8::2"), named("-192.0.2.1 -192.0.2.3 +2001:db8::2"),
		named("-192.0.2.1 -2001:db8::1 +192.0.2.2 +2001:db8::2"), named("-2001:db8::1 +192.0.2.2 +2001:db8::2"),
		named("-192.0.2.1"), named("+192.0.2.1"),
		{"SERVFAIL, and egress is down", after(n(2, failed(result.Resolve, result.DNSServfail,
			result.Peer))).egress(Egress{Known: true}), ""},
		{"the proxy refuses, and egress is down", after(n(2, failed(result.Proxy, result.TCPRefused,
			result.Peer))).egress(Egress{Known: true}), ""},
		{"failing since the experiments", sinceExperiments(), ""},
		{"two other hellos fail, one works",
			after(n(2, hello)).made("again- hello_tls12+ again- hello_no_alpn- hello_no_name-"), ""},
		{"the experiments were made for another phase", otherPhase(), ""},
		{"a second attempt succeeded", inOrder("+++++~").evidence, ""},
		{"without a time", withoutTime(), ""},
		{"only the answers between take longer", took(400, 20, 300, 410), ""},
		{"answers take longer", took(10, 20, 300, 400), ""},
		{"three answers take longer", took(10, 300, 400), ""},
		{"only the last answer takes longer", took(10, 20, 30, 400), ""},
		{"only the first answer was fast", took(10, 200, 300, 400), ""},
		{"answers take a tenth of a second longer, of much", took(500, 500, 620, 630), ""},
		{"answers take less than a tenth of a second longer", took(10, 10, 60, 70), ""},
		{"answers vary", took(9000, 10, 8000, 20, 7000), ""},
		{"an answer was slow once", took(20, 8000, 10, 30, 20), ""},
		{"SYNs are repeated in one probe of two", after(n(2, worked(1)), n(2, worked(1, synAgain(1))), n(2, hangs)), ""},
		{"SYNs are repeated in two probes of twenty", after(n(18, worked(1)), n(2, worked(1, synAgain(1))),
			n(2, hangs)), ""},
		{"SYNs are repeated in one probe of three", after(n(2, worked(1)), n(1, worked(1, synAgain(1))), n(2, hangs)), ""},
		{"429 before refusals", busy(status(429, limited)), ""},
		{"503 before refusals", busy(said()), ""},
		{"a gateway's 503 before refusals", busy(said(gateway)), ""},
		{"503 for maintenance before refusals", busy(said(pausing)), ""},
		{"500 before refusals", busy(status(500)), ""},
		{"a limit without its status before refusals", busy(status(403, limited)), ""},
		{"a restart: a reset, then refusals", busy(resetBare), ""},
	}
}

// sinceExperiments is evidence of experiments made before the newest failure of a run.
func sinceExperiments() Evidence {
	e := after(n(2, hello)).made("again- hello_tls12+ again-")
	e.Experiments.At = e.Recent[0].At.Add(-time.Second)
	return e
}

// otherPhase is evidence of experiments made for a failure in another phase.
func otherPhase() Evidence {
	e := after(n(2, hello)).made("again- hello_tls12+ again-")
	e.Experiments.After.Phase = result.Processing
	return e
}

// withoutTime is evidence of a success whose time is not known, and of failures.
func withoutTime() Evidence {
	e := after(n(1, worked(1)), n(2, resetBare))
	e.Recent[0].At = time.Time{}
	return e
}

// TestFails: an evidence is worth a verdict if probes or idle connections fail.
func TestFails(t *testing.T) {
	ended := idleFor(time.Minute, false, result.TCPClosed)
	for _, row := range []struct {
		name string
		e    Evidence
		want bool
	}{
		{"nothing", Evidence{}, false},
		{"successes", after(healthy), false},
		{"a failure", after(healthy, n(1, hangs)), true},
		{"an idle connection", after(healthy).idle(ended), true},
		{"both", after(n(1, hangs)).idle(ended), true},
	} {
		if got := row.e.Fails(); got != row.want {
			t.Errorf("%s: Fails = %t, want %t", row.name, got, row.want)
		}
	}
}

// TestShown: durations are rounded to what matters of them.
func TestShown(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than 1ms", 999 * time.Microsecond: "less than 1ms", time.Millisecond: "1ms",
		1500 * time.Microsecond: "2ms", 999 * time.Millisecond: "999ms", time.Second: "1s", 1234 * time.Millisecond: "1.2s",
	} {
		if got := shown(d); got != want {
			t.Errorf("shown(%d) = %q, want %q", d, got, want)
		}
	}
}
