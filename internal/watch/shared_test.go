package watch

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/egress"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// Losses in unrelated networks are evidence in the verdict on a reset; without them, or of an overloaded exporter, they
// are not.
func TestSharedFateInVerdicts(t *testing.T) {
	for _, row := range []struct {
		name     string
		reliable bool
		networks int
		want     bool // that our egress is named
	}{
		{"two networks", true, 2, true},
		{"one network", true, 1, false},
		{"the exporter was overloaded", false, 2, false},
	} {
		for _, by := range []string{"configured", "ad hoc"} {
			t.Run(row.name+", "+by, func(t *testing.T) {
				w := New(Options{Prober: prober.New(prober.Options{}), Remember: 10,
					Registry: prometheus.NewPedanticRegistry()})
				t.Cleanup(w.Close)
				url := faultlab.ResetAfterRequest(t)
				c := parse(t, "targets:\n"+item("a", url))
				w.Apply(c)
				for i := range row.networks {
					hop := result.Hop{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i), 1}), 443),
						Wire: &result.Wire{SYNRetransmits: 1}}
					r := &result.Result{Start: time.Now(), Attempts: []result.Attempt{{Hops: []result.Hop{hop}}}}
					w.publish(&Published{Result: r, Late: !row.reliable})
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				probe := map[string]func() (State, error){
					"configured": func() (State, error) { return probeConfigured(ctx, w, c, url) },
					"ad hoc":     func() (State, error) { return probeAdHoc(ctx, w, c, url) },
				}[by]
				state, err := probe()
				if err != nil || state.Verdict == nil {
					t.Fatalf("verdict %v, %v, want one", state.Verdict, err)
				}
				if got := state.Verdict.Cause == cause.EgressImpaired; got != row.want {
					t.Errorf("the verdict is %s, want that %s is named: %t", state.Verdict.Cause, cause.EgressImpaired,
						row.want)
				}
				if f := w.shared.Beside(netip.Prefix{}, time.Now()); row.reliable &&
					f.BySign[egress.SYNRetransmit] != row.networks {
					t.Errorf("%+v, want %d networks with SYNs that were retransmitted", f, row.networks)
				}
			})
		}
	}
}
