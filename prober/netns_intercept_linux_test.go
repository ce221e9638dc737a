package prober_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// What accepts our connections in the server's place is found by an address that is never routed, or, where only the
// target's packets are intercepted, by a SYN that lives for one hop; a path that refuses is none that intercepts.
func TestNetnsIntercept(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	const all, samePort, otherPort = "tcp dport 1-10000", "tcp dport 80", "tcp dport 443"
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		for _, row := range []struct {
			name    string
			fault   netlab.Fault
			foreign bool   // traffic is allowed
			want    string // those that were accepted with a +
		}{
			{"r1 redirects every port", netlab.Redirected(f, all), true, "never_routed+"},
			{"r1 redirects this port", netlab.Redirected(f, samePort), true, "never_routed+"},
			{"r1 redirects another port", netlab.Redirected(f, otherPort), true, "never_routed"},
			{"r1 proxies transparently", netlab.TransparentlyProxied(f), true, "never_routed+"},
			{"a sidecar", netlab.SidecarRedirected(f), true, "never_routed+"},
			{"a sidecar, and no foreign traffic", netlab.SidecarRedirected(f), false, ""},
			{"nothing intercepts", netlab.Closes(f), true, "never_routed"},
			{"a firewall prohibits", netlab.NeverRoutedFiltered(f, f.Rejection("admin-prohibited")), true, "never_routed"},
			{"a firewall resets", netlab.NeverRoutedFiltered(f, "reject with tcp reset"), true, "never_routed"},
			{"a firewall drops", netlab.NeverRoutedFiltered(f, "drop"), true, "never_routed"},
			{"a public address", netlab.PublicCloses(f), true, "never_routed one_hop"},
			{"a public address that r1 redirects", netlab.PublicRedirected(f), true, "never_routed one_hop+"},
			{"a public address that r1 redirects, and no foreign traffic", netlab.PublicRedirected(f), false, "one_hop+"},
		} {
			t.Run(f.String()+" "+row.name, func(t *testing.T) {
				t.Parallel()
				n := netlab.New(t)
				m := labModule()
				m.Timeout, m.Diagnose.NeverRouted = 3*time.Second, row.foreign
				url := row.fault(n)
				var got string
				if err := n.Inside(netlab.C, func() error { got = interceptions(t, url, m); return nil }); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// interceptions are the experiments on interception after a failed probe.
func interceptions(t *testing.T, url string, m *module.Module) (words string) {
	t.Helper()
	p := prober.New(prober.Options{})
	r := probe(t, p, url, m)
	target, err := prober.ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Diagnose(t.Context(), target, &r, m) {
		if e.Kind != result.NeverRouted && e.Kind != result.OneHop {
			continue
		}
		if words != "" {
			words += " "
		}
		if words += string(e.Kind); e.Failure == nil {
			words += "+"
		}
	}
	return words
}
