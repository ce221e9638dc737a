package prober_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// A middlebox removes the state of an idle flow: it drops later packets silently, or answers them with a RST.
func TestNetnsIdleThroughNAT(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		for _, row := range []struct {
			name, verdict string
			want          idleSighting
		}{
			{"silently", "drop", idleSighting{true, "processing", result.TCPAborted, "", result.Self,
				"request processing", false}},
			{"and answers with a RST", "reject with tcp reset",
				idleSighting{true, "processing", result.TCPReset, "ECONNRESET", result.Peer, "request processing",
					false}},
			{"not at all", "accept", idleSighting{Used: true, Phases: "request processing transfer validate",
				Kept: true}},
		} {
			t.Run(f.String()+" forgets "+row.name, func(t *testing.T) {
				n := netlab.New(t)
				url := netlab.HealthyKeeping(f)(n)
				var k *prober.IdleConn
				m := keepModule()
				m.PreferIPv6 = f == netlab.V6
				if err := n.Inside(netlab.C, func() error {
					k, _ = openIdle(t, prober.New(prober.Options{UserAgent: "test"}), url, m)
					return nil
				}); err != nil || k == nil {
					t.Fatalf("not kept: %v", err)
				}
				n.Filter(netlab.R1, "forward", "ip protocol tcp "+row.verdict, "ip6 nexthdr tcp "+row.verdict)
				ctx, cancel := context.WithTimeout(t.Context(), 1800*time.Millisecond)
				defer cancel()
				r := k.Probe(ctx)
				if diff := cmp.Diff(row.want, sightIdle(k, r)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}
