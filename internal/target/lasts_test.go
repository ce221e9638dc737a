package target

import (
	"net/netip"
	"net/url"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/schedule"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// The last results of all targets have a common budget. The oldest are made brief, with their failures, durations and
// addresses, and are not passed on by min_interval; those that fit are.
func TestLastResultsShareABudget(t *testing.T) {
	const count = 20
	for _, row := range []struct {
		name  string
		brief int // results that have to be, so that all fit
	}{
		{"all fit", 0},
		{"one is too many", 1},
		{"a half fits", count / 2},
		{"one fits", count - 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			whole, brief := noted(outcome()).Results.Size(), shortened(outcome()).Results.Size()
			l, targets := NewLasts(), make([]*Target, count)
			for i := range targets {
				targets[i] = noted(nil)
			}
			l.Apply(targets)
			if want := lastsBase + count*lastsPerTarget; l.most != want {
				t.Errorf("the budget is %d bytes, want %d", l.most, want)
			}
			l.most = (count-row.brief)*whole + row.brief*brief
			for _, target := range targets {
				note(target, outcome())
				l.Noted(target)
			}
			held := 0
			for i, target := range targets {
				last, size := target.Results.Latest(), target.Results.Size()
				held += size
				want, isBrief := whole, i < row.brief
				if isBrief {
					want = brief
				}
				r := last.Result
				if size != want || r.Failure.Reason != result.TCPReset || r.Elapsed != time.Second ||
					r.Last().LastHop().Addr != address {
					t.Errorf("result %d takes %d bytes, want %d: %+v", i, size, want, r)
				}
				if _, fresh := target.Probes.Join(claim(target)); fresh != isBrief {
					t.Errorf("result %d: probed again %t, want %t", i, fresh, isBrief)
				}
			}
			if held != l.bytes || held > l.most {
				t.Errorf("all take %d bytes, %d are charged, the budget is %d", held, l.bytes, l.most)
			}
			if brief > lastsPerTarget {
				t.Errorf("a brief result takes %d bytes, want at most %d", brief, lastsPerTarget)
			}
			l.Apply([]*Target{noted(nil)})
			l.Noted(targets[0]) // a probe that ends after the reload
			if len(l.of) != 1 || l.bytes != 0 || l.whole.Len() != 0 {
				t.Errorf("after a reload %d bytes of %d targets are charged, want none of one", l.bytes, len(l.of))
			}
		})
	}
	claims.Prove(t, "last results of all targets", lastsBase, lastsPerTarget)
}

var address = netip.MustParseAddrPort("192.0.2.1:443")

// outcome is a failure after nine redirects.
func outcome() *Outcome {
	failure := &result.Failure{Phase: result.Processing, Reason: result.TCPReset}
	r := &result.Result{Target: result.Target{URL: new(url.URL)}, Start: time.Now(), Elapsed: time.Second,
		Failure: failure, Attempts: []result.Attempt{{Hops: make([]result.Hop, 10), Failure: failure}}}
	for i := range r.Attempts[0].Hops {
		r.Attempts[0].Hops[i].Addr = address
	}
	return &Outcome{Result: r, Ended: time.Now(), Allowed: time.Minute}
}

// noted is a target with an outcome; nil for none.
func noted(o *Outcome) *Target {
	t := &Target{Known: NewKnown(), Config: &config.Target{Module: &module.Module{}, MinInterval: time.Hour}}
	if o != nil {
		note(t, o)
	}
	return t
}

// note ends a probe of the target.
func note(t *Target, o *Outcome) {
	probe, _ := t.Probes.Join(claim(t))
	t.Probes.EndWith(probe, o, t.Results.Note(o))
}

func claim(t *Target) schedule.Claim {
	return t.Claim(time.Now(), time.Now().Add(time.Minute), time.Second)
}

func shortened(o *Outcome) *Target {
	t := noted(o)
	t.Results.shorten()
	return t
}
