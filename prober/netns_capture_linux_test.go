package prober_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/internal/reset"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// provenance is what is seen of who sent a RST.
type provenance struct {
	Phase  result.Phase
	Reason result.Reason
	Origin result.Origin
	Sender result.Sender
	Delta  int
	Live   bool
	// by the minimum TTL, without a capture; empty where the failure is none that can be measured
	Measured result.Sender
}

// Who sent the RST, in networks with two routers: failures.md, section 5.
func TestNetnsCapture(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	const processing = result.Processing
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		none := func(*netlab.Net) {}
		after := func(fault netlab.Fault) func(*netlab.Net) { return func(n *netlab.Net) { fault(n) } }
		for _, row := range []struct {
			name  string
			fault netlab.Fault
			then  func(*netlab.Net) // after three good probes, if the fault lets them be
			want  provenance
		}{
			{"the application aborts", netlab.Aborts(f), none,
				provenance{processing, result.TCPReset, result.Peer, result.EndHost, 0, true, result.EndHost}},
			{"the server has forgotten", netlab.HostForgets(f), none,
				provenance{processing, result.TCPReset, result.Peer, result.EndHost, 0, false, result.EndHost}},
			{"the server has forgotten, and its sockets have a TTL of their own", netlab.OtherTTL(f), none,
				provenance{processing, result.TCPReset, result.Peer, result.Ambiguous, -36, false, result.Ambiguous}},
			{"r1 resets the request", netlab.RequestReset(f, netlab.R1), none,
				provenance{processing, result.TCPReset, result.Path, result.Middlebox, 2, false, result.Middlebox}},
			{"r2 resets the request", netlab.RequestReset(f, netlab.R2), none,
				provenance{processing, result.TCPReset, result.Path, result.Middlebox, 1, false, result.Middlebox}},
			{"nothing listens, and nothing is known", netlab.ClosedPort(f), none,
				provenance{result.Connect, result.TCPRefused, result.Peer, result.Ambiguous, 0, false, ""}},
			{"r1 resets the SYN, and nothing is known", netlab.SYNReset(f, netlab.R1), none,
				provenance{result.Connect, result.TCPRefused, result.Peer, result.Ambiguous, 0, false, ""}},
			{"r1 resets the SYN of a known server", netlab.Healthy(f),
				func(n *netlab.Net) { n.Filter(netlab.R1, "forward", "tcp dport 80 reject with tcp reset") },
				provenance{result.Connect, result.TCPRefused, result.Path, result.Middlebox, 2, false, ""}},
			{"r2 resets the SYN of a known server", netlab.Healthy(f),
				func(n *netlab.Net) { n.Filter(netlab.R2, "forward", "tcp dport 80 reject with tcp reset") },
				provenance{result.Connect, result.TCPRefused, result.Path, result.Middlebox, 1, false, ""}},
			{"a known server rejects", netlab.Healthy(f),
				func(n *netlab.Net) { n.Filter(netlab.S, "input", "tcp dport 80 reject with tcp reset") },
				provenance{result.Connect, result.TCPRefused, result.Peer, result.EndHost, 0, false, ""}},
			{"own firewall resets", netlab.Healthy(f), after(func(n *netlab.Net) string {
				n.Filter(netlab.C, "output", "tcp dport 80 reject with tcp reset")
				return ""
			}),
				provenance{result.Connect, result.TCPRefused, result.Local, result.ThisHost, 2, false, ""}},
		} {
			t.Run(f.String()+" "+row.name, func(t *testing.T) {
				t.Parallel()
				n := netlab.New(t)
				m := labModule()
				m.Timeout = 3 * time.Second
				var capture *reset.Capture
				if err := n.Inside(netlab.C, func() (err error) {
					capture,
						err = reset.Open(nil)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				defer capture.Close()
				p := prober.New(prober.Options{Resets: capture})
				url := row.fault(n)
				var r result.Result
				visit := func() error { r = probe(t, p, url, m); return nil }
				for range 3 {
					if err := n.Inside(netlab.C, visit); err != nil {
						t.Fatal(err)
					}
				}
				row.then(n)
				if err := n.Inside(netlab.C, visit); err != nil {
					t.Fatal(err)
				}
				got := provenance{}
				if f := r.Failure; f != nil {
					got.Phase, got.Reason, got.Origin = f.Phase, f.Reason, f.Origin
				}
				if w := r.Last().LastHop().Wire; w != nil && w.Reset != nil {
					got.Sender, got.Live = w.Reset.Sender, w.Reset.Live
					if delta, known := w.Reset.Delta(); known {
						got.Delta = delta
					}
				}
				if err := n.Inside(netlab.C, func() error { got.Measured = measured(t, url, m); return nil }); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// measured is who sends the resets as far as the experiments know that need no capture.
func measured(t *testing.T, url string, m *module.Module) result.Sender {
	t.Helper()
	p := prober.New(prober.Options{})
	r := probe(t, p, url, m)
	target, err := prober.ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Diagnose(t.Context(), target, &r, m) {
		if c.Kind == result.ResetDistance {
			return c.Sender
		}
	}
	return ""
}
