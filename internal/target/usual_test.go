package target

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Which probes count: each row is the probes of one target.
func TestUsual(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	ok := func(allowed time.Duration) ending { return ending{allowed: allowed} }
	cut := func(allowed time.Duration) ending { return ending{allowed: allowed, cut: true} }
	in := func(timeout time.Duration, e ending) ending { e.timeout = timeout; return e }
	at := func(after time.Duration, e ending) ending { e.at = time.Time{}.Add(after); return e }
	for _, row := range []struct {
		name   string
		probes []ending
		want   []bool
	}{
		{"10 ms, before anybody else", []ending{cut(10 * ms), cut(10 * ms), cut(10 * ms), cut(10 * ms)},
			[]bool{false, false, false, false}},
		{"less than the only other caller, repeated", []ending{ok(10 * s), cut(s), cut(s), cut(s), cut(s)},
			[]bool{true, false, false, false, false}},
		{"less than the usual", []ending{ok(10 * s), ok(10 * s), ok(10 * s), cut(5 * s), cut(10 * s)},
			[]bool{true, true, true, false, true}},
		{"successes with less do not lower it", []ending{ok(10 * s), ok(10 * s), ok(s), ok(s), ok(s), ok(s), cut(s)},
			[]bool{true, true, true, true, true, true, false}},
		{"half a second from the start", []ending{cut(450 * ms), cut(450 * ms)}, []bool{true, true}},
		{"a scrape timeout shorter than the module's", []ending{in(30*s, cut(2*s)), in(30*s, cut(2*s))},
			[]bool{true, true}},
		{"a module's timeout shorter than half a second", []ending{in(100*ms, cut(100*ms)), in(100*ms, cut(90*ms))},
			[]bool{true, false}},
		{"a module's timeout that became shorter", []ending{ok(10 * s), ok(10 * s), ok(10 * s), in(s, cut(s))},
			[]bool{true, true, true, true}},
		{"one caller with two minutes", []ending{ok(10 * s), ok(10 * s), ok(120 * s), cut(10 * s)},
			[]bool{true, true, true, true}},
		{"what is reserved for many targets", []ending{ok(9980 * ms), ok(9980 * ms), ok(9980 * ms), cut(9500 * ms)},
			[]bool{true, true, true, true}},
		{"callers of the last span", []ending{ok(10 * s), ok(10 * s), ok(10 * s), at(6*time.Minute, cut(5*s))},
			[]bool{true, true, true, false}},
		{"callers of both spans", []ending{ok(10 * s), ok(10 * s), at(6*time.Minute, ok(120*s)),
			at(6*time.Minute, cut(10*s))}, []bool{true, true, true, true}},
		{"callers of a quarter of an hour ago", []ending{ok(10 * s), ok(10 * s), ok(10 * s),
			at(16*time.Minute, cut(5*s))}, []bool{true, true, true, true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var u usual
			var got []bool
			for _, e := range row.probes {
				got = append(got, u.counts(e))
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
