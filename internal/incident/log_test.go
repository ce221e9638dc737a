package incident

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// of is a probe of another target than payments.
func of(target string, s *Seen) Seen {
	s.Target = target
	return *s
}

// numbers are incidents by the last byte of their IDs.
func numbers(list []*Incident) []byte {
	var n []byte
	for _, i := range list {
		n = append(n, i.ID[15])
	}
	return n
}

// Which of four incidents a query chooses: 1, of resets, from 03:00 to 03:01, and 5, of timeouts and a status, from 03:04
// on, of payments; 2, with a verdict, from 03:01 to 03:03, and 7, from 03:06, of orders.
func TestQuery(t *testing.T) {
	l := NewLog(Options{Rule: Rule{1}})
	for n, what := range []string{"pR", "oR", "p.", "o.", "pT", "p5", "oR"} {
		s := seen(n+1, n, what[1])
		if n == 1 {
			s.Verdict = &cause.Verdict{Cause: cause.ServerAborts, Party: cause.Server, Confidence: cause.High}
		}
		l.Observe(of(map[byte]string{'p': "payments", 'o': "orders"}[what[0]], s), nil)
	}
	for _, row := range []struct {
		name  string
		query Query
		want  []byte
	}{
		{"all, the newest first", Query{}, []byte{7, 5, 2, 1}},
		{"at most two", Query{Limit: 2}, []byte{7, 5}},
		{"of a target", Query{Target: "payments"}, []byte{5, 1}},
		{"of none", Query{Target: "nobody"}, nil},
		{"by cause", Query{Cause: cause.ServerAborts}, []byte{2}},
		{"by phase", Query{Phase: result.Processing}, []byte{7, 2, 1}},
		{"by reason of any kind", Query{Reason: result.HTTPError}, []byte{5}},
		{"by errno", Query{Errno: "ECONNRESET", Target: "orders"}, []byte{7, 2}},
		{"not of different kinds", Query{Phase: result.Connect, Reason: result.HTTPError}, nil},
		{"that lasted from", Query{Since: at(3)}, []byte{7, 5, 2}},
		{"that began before", Query{Until: at(4)}, []byte{2, 1}},
		{"at 03:02, when 1 ended", Query{Since: at(2), Until: at(2).Add(time.Second)}, []byte{2, 1}},
	} {
		if got := numbers(l.List(row.query)); !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
	if i := l.Get(id(5)); i == nil || i != l.Open("payments") || l.Get(id(99)) != nil || l.Open("nobody") != nil {
		t.Errorf("Get and Open: %v, %v, want incident 5 twice", i, l.Open("payments"))
	}
	for record, want := range map[int]byte{1: 1, 3: 0, 5: 5, 6: 5, 7: 0} { // 7 is of orders
		got := byte(0)
		if i := l.Of("payments", id(record)); i != nil {
			got = i.ID[15]
		}
		if got != want {
			t.Errorf("record %d of payments is of incident %d, want %d", record, got, want)
		}
	}
}

// Each change is reported, and a Log that is filled with what was reported last goes on as if nothing had been.
func TestFill(t *testing.T) {
	const probes = "RR.R...RR" // an incident that ends, and one that lasts
	for restart := range len(probes) + 1 {
		stored := map[ulid.ULID][]byte{}
		reported := 0
		started := func() *Log {
			l := NewLog(Options{Rule: Rule{2}, Changed: func(_, i *Incident) {
				stored[i.ID] = i.Encode()
				reported++
			}})
			var before []*Incident
			for _, b := range stored {
				i, err := Decode(b)
				if err != nil {
					t.Fatal(err)
				}
				before = append(before, i)
			}
			l.Fill(before)
			return l
		}
		l := started()
		for n, what := range []byte(probes) {
			if n == restart {
				l = started()
			}
			l.Observe(*seen(n+1, n, what), nil)
		}
		var got []string
		for _, i := range l.List(Query{}) {
			got = append(got, said(i))
		}
		const reset = "processing tcp.reset ECONNRESET peer 0 (connection reset)"
		want := []string{"8 api http://api.test/ 03:07-now : 2 of 2 failed, 0 unreliable; " + reset +
			" ×2 from 8 03:07 to 03:08; 192.0.2.1:80 2-0; records 8 to 9, failed last 03:08, probed last 03:08",
			"1 api http://api.test/ 03:00-03:04 recovered: 3 of 4 failed, 0 unreliable; " + reset +
				" ×3 from 1 03:00 to 03:03; 192.0.2.1:80 3-0; 192.0.2.2:80 0-3; records 1 to 4, failed last 03:03, probed last " +
				"03:05"}
		if diff := cmp.Diff(want, got); diff != "" || reported != 8 {
			t.Errorf("restarted after %d probes: %d changes, want 8, incidents (-want +got):\n%s", restart, reported, diff)
		}
	}
}

// What is found out later belongs to the incident of the failure, also when that is over.
func TestLearned(t *testing.T) {
	l := NewLog(Options{Rule: Rule{1}})
	for n, what := range []byte("R.R") {
		l.Observe(*seen(n+1, n, what), nil)
	}
	later := seen(1, 9, 'R')
	later.Verdict = &cause.Verdict{Cause: cause.ServerAborts, Party: cause.Server, Confidence: cause.High}
	later.Experiments = []Experiment{{result.PathTrace, "path"}}
	l.Learned(*later)
	unknown := *later
	unknown.ID = id(2) // a success
	l.Learned(unknown)
	if i := l.Get(id(1)); i.Verdict != later.Verdict || len(i.Experiments) != 1 || i.Failed != 1 || i.Open() ||
		!i.Judgements[0].At.Equal(at(9)) {
		t.Errorf("%+v, want the verdict and the experiment, one failure, and to be over", i)
	}
	if i := l.Get(id(3)); i.Verdict != nil {
		t.Errorf("the other incident has %+v, want no verdict", i.Verdict)
	}
}

// What the kernel counted around a failure becomes known when the target is probed again.
func TestKernelIsKnownLater(t *testing.T) {
	l := NewLog(Options{Rule: Rule{3}})
	around := new(counters.Around)
	l.Observe(*seen(1, 0, 'R'), around)
	if i := l.Open("payments"); i.Kernel != nil {
		t.Errorf("%+v before it is known", i.Kernel)
	}
	settled := counters.Of(&counters.Changes{Changed: []counters.Change{{Name: "TcpExtTCPTimeouts", By: 1}}})
	l.kernel["payments"] = settled
	l.Observe(*seen(2, 1, 'R'), nil)
	if i := l.Open("payments"); i.Kernel == nil || len(i.Kernel.Changed) != 1 {
		t.Errorf("%+v, want what rose", i.Kernel)
	}
}

// An open incident whose target is no longer probed ends when others have been probed for an hour.
func TestExpire(t *testing.T) {
	l := NewLog(Options{Rule: Rule{3}})
	l.Observe(*seen(1, 0, 'R'), nil)
	for _, row := range []struct {
		minute int
		want   Ending
	}{{1, ""}, {60, ""}, {62, Unobserved}} {
		l.Observe(of("orders", seen(2+row.minute, row.minute, '.')), nil)
		if got := l.Get(id(1)).Ended; got != row.want {
			t.Errorf("after %d minutes: %q, want %q", row.minute, got, row.want)
		}
	}
}

// The target that has most incidents loses its oldest.
func TestLogIsBounded(t *testing.T) {
	small := NewLog(Options{Rule: Rule{1}})
	small.incidents = 4
	for n, what := range []string{"a", "b", "c", "c", "c", "c", "a"} {
		small.Observe(of(what, seen(2*n+1, 2*n, 'R')), nil)
		small.Observe(of(what, seen(2*n+2, 2*n+1, '.')), nil)
	}
	if got, want := numbers(small.List(Query{})), []byte{13, 11, 9, 3}; !slices.Equal(got, want) {
		t.Errorf("incidents %v, want %v", got, want)
	}
	before := claims.LiveHeap()
	l := NewLog(Options{Rule: Rule{1}})
	for n := range maxIncidents + 1000 {
		target := fmt.Sprint("target-", n%300)
		s := seen(n+1, n, 'R')
		s.ID = ulid.ULID{13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
		s.Failure.Sentence = string(make([]byte, maxText))
		s.Verdict = &cause.Verdict{Cause: cause.Unknown, Confidence: cause.Low}
		for range 12 {
			s.Verdict.Evidence = append(s.Verdict.Evidence, string(make([]byte, 300)))
		}
		s.URL = fmt.Sprint("http://api.test/", n) // which ends the one before
		l.Observe(of(target, s), nil)
	}
	took := claims.LiveHeap() - before
	if len(l.byID) > maxIncidents || l.Size() > maxBytes || l.Size() < maxBytes/2 || took > maxBytes*3/2 {
		t.Errorf("%d incidents of %d bytes, which take %d: want at most %d, of %d, which take half as much again at most",
			len(l.byID), l.Size(), took, maxIncidents, maxBytes)
	}
	claims.Prove(t, "incidents in memory", maxIncidents, maxBytes)
}

// What another version has stored is read where its meaning is known.
func TestDecode(t *testing.T) {
	_, good := Rule{3}.Next(nil, seen(1, 0, 'R'))
	for _, row := range []struct {
		name   string
		change func(*Incident)
		err    string
		reason result.Reason
		cause  cause.Cause
	}{
		{"as it was", func(*Incident) {}, "", result.TCPReset, ""},
		{"another schema", func(i *Incident) { i.Schema = 9 }, "schema 9 of an incident, want 1", "", ""},
		{"no ID", func(i *Incident) { i.ID = ulid.Zero }, "an incident without ID, target, failures, begin or end", "", ""},
		{"no failure", func(i *Incident) { i.Kinds = nil }, "an incident without ID, target, failures, begin or end", "", ""},
		{"an end and none", func(i *Incident) { i.End = at(1) }, "an incident without ID, target, failures, begin or end",
			"", ""},
		{"an unknown phase", func(i *Incident) { i.Kinds = []Kind{{Phase: "dreaming"}} }, `phase "dreaming" is unknown`, "", ""},
		{"an unknown reason", func(i *Incident) { i.Kinds = []Kind{{Phase: result.Connect, Reason: "tcp.tired"}} }, "",
			result.Unknown, ""},
		{"an unknown cause", func(i *Incident) {
			i.Verdict = &cause.Verdict{Cause: "aliens", Open: []cause.Cause{"aliens"},
				RuledOut: []cause.RuledOut{{Cause: "aliens"}}}
		}, "", result.TCPReset, cause.Unknown},
	} {
		changed := *good
		row.change(&changed)
		i, err := Decode(changed.Encode())
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != row.err {
			t.Errorf("%s: error %q, want %q", row.name, text, row.err)
		}
		if err != nil {
			continue
		}
		if i.Kinds[0].Reason != row.reason || i.Cause() != row.cause || i.Verdict != nil && len(i.Verdict.Open)+
			len(i.Verdict.RuledOut) > 0 {
			t.Errorf("%s: reason %q, cause %q, want %q and %q", row.name, i.Kinds[0].Reason, i.Cause(), row.reason, row.cause)
		}
		if row.name == "as it was" && said(i) != said(good) {
			t.Errorf("%s, want %s", said(i), said(good))
		}
	}
	if _, err := Decode([]byte("{")); err == nil {
		t.Error("a torn one is read")
	}
}

// What a page of 10,000 incidents asks for: all of them in groups, and those of a target.
func BenchmarkList(b *testing.B) {
	l := NewLog(Options{Rule: Rule{1}})
	for n := range maxIncidents {
		s := seen(n, n/10, 'R')
		s.ID = ulid.ULID{13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
		s.URL = fmt.Sprint("http://api.test/", n)
		l.Observe(of(fmt.Sprint("target-", n%300), s), nil)
	}
	for _, row := range []struct {
		name string
		f    func() int
	}{
		{"all", func() int { return len(l.List(Query{})) }},
		{"groups", func() int { return len(Groups(l.List(Query{}))) }},
		{"target", func() int { return len(l.List(Query{Target: "target-7"})) }},
	} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				if row.f() == 0 {
					b.Fatal("nothing is found")
				}
			}
		})
	}
}
