package incident

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// at is a minute of the night.
func at(minute int) time.Time {
	return time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC).Add(time.Duration(minute) * time.Minute)
}

func id(n int) ulid.ULID { return ulid.ULID{14: byte(n >> 8), 15: byte(n)} }

// seen is the nth probe of payments, by one character: "." a success, "R" a reset, "T" a timeout, "5" and "6" statuses
// 500 and 502, "u" a reset while the exporter was late; r is a reset of the module's other URL, m of another module.
func seen(n, minute int, what byte) *Seen {
	s := &Seen{ID: id(n), Target: "payments", Module: "api", URL: "http://api.test/", At: at(minute),
		Addresses: []Address{{Address: "192.0.2.1:80", Failed: 1}}}
	reset := &Kind{Phase: result.Processing, Reason: result.TCPReset, Errno: "ECONNRESET", Origin: result.Peer,
		Sentence: "connection reset"}
	switch what {
	case '.':
		s.Addresses[0] = Address{Address: "192.0.2.2:80", Succeeded: 1}
	case 'T':
		s.Failure = &Kind{Phase: result.Connect, Reason: result.TCPTimedOut, Origin: result.Self, Sentence: "no answer"}
	case '5':
		s.Failure = &Kind{Phase: result.Validate, Reason: result.HTTPError, Status: 500, Sentence: "status 500"}
	case '6':
		s.Failure = &Kind{Phase: result.Validate, Reason: result.HTTPError, Status: 502, Sentence: "status 502"}
	case 'u':
		s.Failure, s.Unreliable = reset, true
	case 'r':
		s.Failure, s.URL = reset, "http://other.test/"
	case 'm':
		s.Failure, s.Module = reset, "other"
	default:
		s.Failure = reset
	}
	return s
}

// said is an incident in a line, without what does not differ here.
func said(i *Incident) string {
	clock := func(t time.Time) string {
		if t.IsZero() {
			return "now"
		}
		return t.Format("15:04")
	}
	text := fmt.Sprintf("%d %s %s %s-%s %s: %d of %d failed, %d unreliable;", i.ID[15], i.Module, i.URL, clock(i.Begin),
		clock(i.End), i.Ended, i.Failed, i.Attempts, i.Unreliable)
	for _, k := range i.Kinds {
		text += fmt.Sprintf(" %s %s %s %s %d (%s) ×%d from %d %s to %s;", k.Phase, k.Reason, k.Errno, k.Origin, k.Status,
			k.Sentence, k.Count, k.Record[15], clock(k.First), clock(k.Last))
	}
	for _, a := range i.Addresses {
		text += fmt.Sprintf(" %s %d-%d;", a.Address, a.Failed, a.Succeeded)
	}
	text += fmt.Sprintf(" records %d to %d, failed last %s, probed last %s", i.First[15], i.Last[15],
		clock(i.LastFailure), clock(i.LastProbe))
	if i.Recovering != nil {
		text += fmt.Sprintf(", %d successes since %s", i.Recovering.Successes, clock(i.Recovering.Since))
	}
	return text
}

// Rows are probes, one a minute ("_" is two hours without one), and what becomes of them: the incidents that are over,
// and the one that lasts.
func TestNext(t *testing.T) {
	const reset = "processing tcp.reset ECONNRESET peer 0 (connection reset)"
	for _, row := range []struct {
		name      string
		successes int
		probes    string
		over      []string
		lasts     string
	}{
		{"nothing", 3, "", nil, ""},
		{"successes alone", 3, "....", nil, ""},
		{"one failure", 3, ".R", nil, "2 api http://api.test/ 03:01-now : 1 of 1 failed, 0 unreliable; " + reset +
			" ×1 from 2 03:01 to 03:01; 192.0.2.1:80 1-0; records 2 to 2, failed last 03:01, probed last 03:01"},
		{"successes are not enough to end it", 3, "RR..", nil, "1 api http://api.test/ 03:00-now : 2 of 2 failed, 0 unreliable; " +
			reset + " ×2 from 1 03:00 to 03:01; 192.0.2.1:80 2-0; 192.0.2.2:80 0-2; records 1 to 2, failed last 03:01, " +
			"probed last 03:03, 2 successes since 03:02"},
		{"it ends when the first of enough successes began", 3, "RR....", []string{"1 api http://api.test/ 03:00-03:02 " +
			"recovered: 2 of 2 failed, 0 unreliable; " + reset + " ×2 from 1 03:00 to 03:01; 192.0.2.1:80 2-0; " +
			"192.0.2.2:80 0-3; records 1 to 2, failed last 03:01, probed last 03:04"}, ""},
		{"one success ends it where that is enough", 1, "R.R", []string{"1 api http://api.test/ 03:00-03:01 recovered: " +
			"1 of 1 failed, 0 unreliable; " + reset + " ×1 from 1 03:00 to 03:00; 192.0.2.1:80 1-0; 192.0.2.2:80 0-1; " +
			"records 1 to 1, failed last 03:00, probed last 03:01"}, "3 api http://api.test/ 03:02-now : 1 of 1 failed, " +
			"0 unreliable; " + reset + " ×1 from 3 03:02 to 03:02; 192.0.2.1:80 1-0; records 3 to 3, failed last 03:02, " +
			"probed last 03:02"},
		{"flapping is one incident", 3, "R.R..R", nil, "1 api http://api.test/ 03:00-now : 3 of 6 failed, 0 unreliable; " +
			reset + " ×3 from 1 03:00 to 03:05; 192.0.2.1:80 3-0; 192.0.2.2:80 0-3; records 1 to 6, failed last 03:05, " +
			"probed last 03:05"},
		{"kinds by phase, reason and status", 3, "RT56R", nil, "1 api http://api.test/ 03:00-now : 5 of 5 failed, 0 " +
			"unreliable; " + reset + " ×2 from 1 03:00 to 03:04; connect tcp.timed_out  self 0 (no answer) ×1 from 2 " +
			"03:01 to 03:01; validate http.error   500 (status 500) ×1 from 3 03:02 to 03:02; validate http.error   502 " +
			"(status 502) ×1 from 4 03:03 to 03:03; 192.0.2.1:80 5-0; records 1 to 5, failed last 03:04, probed last 03:04"},
		{"an unreliable one counts", 3, "uR", nil, "1 api http://api.test/ 03:00-now : 2 of 2 failed, 1 unreliable; " +
			reset + " ×2 from 1 03:00 to 03:01; 192.0.2.1:80 2-0; records 1 to 2, failed last 03:01, probed last 03:01"},
		{"nobody knows what was in two hours", 3, "R_R", []string{"1 api http://api.test/ 03:00-03:00 unobserved: 1 of 1 " +
			"failed, 0 unreliable; " + reset + " ×1 from 1 03:00 to 03:00; 192.0.2.1:80 1-0; records 1 to 1, failed last " +
			"03:00, probed last 03:00"}, "2 api http://api.test/ 05:01-now : 1 of 1 failed, 0 unreliable; " + reset +
			" ×1 from 2 05:01 to 05:01; 192.0.2.1:80 1-0; records 2 to 2, failed last 05:01, probed last 05:01"},
		{"unless it had succeeded before them", 3, "R._.", []string{"1 api http://api.test/ 03:00-03:01 recovered: 1 of 1 " +
			"failed, 0 unreliable; " + reset + " ×1 from 1 03:00 to 03:00; 192.0.2.1:80 1-0; 192.0.2.2:80 0-1; records 1 " +
			"to 1, failed last 03:00, probed last 03:01"}, ""},
		{"another URL is another incident", 3, "Rr", []string{"1 api http://api.test/ 03:00-03:00 unobserved: 1 of 1 failed, " +
			"0 unreliable; " + reset + " ×1 from 1 03:00 to 03:00; 192.0.2.1:80 1-0; records 1 to 1, failed last 03:00, " +
			"probed last 03:00"}, "2 api http://other.test/ 03:01-now : 1 of 1 failed, 0 unreliable; " + reset +
			" ×1 from 2 03:01 to 03:01; 192.0.2.1:80 1-0; records 2 to 2, failed last 03:01, probed last 03:01"},
		{"another module, too", 3, "Rm", []string{"1 api http://api.test/ 03:00-03:00 unobserved: 1 of 1 failed, " +
			"0 unreliable; " + reset + " ×1 from 1 03:00 to 03:00; 192.0.2.1:80 1-0; records 1 to 1, failed last 03:00, " +
			"probed last 03:00"}, "2 other http://api.test/ 03:01-now : 1 of 1 failed, 0 unreliable; " + reset +
			" ×1 from 2 03:01 to 03:01; 192.0.2.1:80 1-0; records 2 to 2, failed last 03:01, probed last 03:01"},
	} {
		var over []string
		var open *Incident
		n, minute := 0, 0
		for _, what := range []byte(row.probes) {
			if what == '_' {
				minute += 120
				continue
			}
			n++
			before := ""
			if open != nil {
				before = said(open)
			}
			ended, next := Rule{row.successes}.Next(open, seen(n, minute, what))
			if open != nil && said(open) != before {
				t.Errorf("%s: Next changed the open incident from %s to %s", row.name, before, said(open))
			}
			if ended != nil {
				over = append(over, said(ended))
			}
			open = next
			minute++
		}
		lasts := ""
		if open != nil {
			lasts = said(open)
		}
		if diff := cmp.Diff(row.over, over); diff != "" || lasts != row.lasts {
			t.Errorf("%s: over (-want +got):\n%s\nlasts %s\nwant  %s", row.name, diff, lasts, row.lasts)
		}
	}
}

// The surest verdict counts, and of several the newest; each change is listed.
func TestVerdictOfAnIncident(t *testing.T) {
	low, medium, high := &cause.Verdict{Cause: cause.Unknown, Party: cause.UnknownParty, Confidence: cause.Low},
		&cause.Verdict{Cause: cause.ServerAborts, Party: cause.Server, Confidence: cause.Medium},
		&cause.Verdict{Cause: cause.ServerOverloaded, Party: cause.Server, Confidence: cause.High}
	other := &cause.Verdict{Cause: cause.NotListening, Party: cause.Server, Confidence: cause.High}
	for _, row := range []struct {
		name   string
		with   []*cause.Verdict // of each failure, one a minute
		want   *cause.Verdict
		listed string
	}{
		{"none", []*cause.Verdict{nil, nil}, nil, ""},
		{"it becomes surer", []*cause.Verdict{low, nil, medium, medium, high}, high,
			"03:00 unknown unknown low; 03:02 server_aborts server medium; 03:04 server_overloaded server high; "},
		{"and stays the surest", []*cause.Verdict{high, medium, low}, high,
			"03:00 server_overloaded server high; 03:01 server_aborts server medium; 03:02 unknown unknown low; "},
		{"the newer of two that are as sure", []*cause.Verdict{high, other}, other,
			"03:00 server_overloaded server high; 03:01 not_listening server high; "},
	} {
		var i *Incident
		for n, v := range row.with {
			s := seen(n+1, n, 'R')
			s.Verdict = v
			_, i = Rule{3}.Next(i, s)
		}
		listed := ""
		for _, j := range i.Judgements {
			listed += fmt.Sprintf("%s %s %s %s; ", j.At.Format("15:04"), j.Cause, j.Party, j.Confidence)
		}
		if i.Verdict != row.want || listed != row.listed || i.Judged != len(i.Judgements) {
			t.Errorf("%s: %+v, %d changes %s, want %+v, %s", row.name, i.Verdict, i.Judged, listed, row.want, row.listed)
		}
	}
}

// An incident stays small however long it lasts and whatever is sent: what is beyond the lists is counted.
func TestIncidentIsBounded(t *testing.T) {
	long := strings.Repeat("long ", 1000)
	v := &cause.Verdict{Cause: cause.Unknown, Confidence: cause.Low}
	for range 1000 {
		v.Evidence, v.Next = append(v.Evidence, long), append(v.Next, long)
		v.RuledOut = append(v.RuledOut, cause.RuledOut{Cause: cause.NotListening, By: long})
		v.Open = append(v.Open, cause.NotListening)
	}
	changes := &counters.Changes{Changed: make([]counters.Change, 200)}
	r := &result.Result{URL: long, Failure: &result.Failure{Phase: result.Validate, Reason: result.HTTPError},
		Attempts: []result.Attempt{{Hops: []result.Hop{{}}}}}
	var i *Incident
	const failures = 300
	for n := range failures {
		v.Party = []cause.Party{cause.Server, cause.Us}[n%2]
		s := Of(r, cause.Findings{Verdict: v, Experiments: make([]result.Experiment, 500), Kernel: counters.Of(changes)})
		s.ID, s.Target, s.At = id(n+1), "payments", at(n)
		s.Failure.Status, s.Failure.Sentence = n, cut(long)
		s.Addresses = []Address{{Address: fmt.Sprint("192.0.2.1:", n), Failed: 1}}
		_, i = Rule{3}.Next(i, &s)
	}
	const most = 160 << 10
	if n := len(i.Encode()); n > most || i.Size() > most {
		t.Errorf("%d bytes of JSON, %d of memory, want at most %d", n, i.Size(), most)
	}
	got := []int{len(i.Kinds), i.OtherKinds, len(i.Addresses), i.OtherAddresses, len(i.Judgements), i.Judged,
		len(i.Experiments), len(i.Kernel.Changed), len(i.Verdict.Evidence), len(i.URL), len(i.Kinds[0].Sentence)}
	want := []int{16, failures - 16, 16, failures - 16, 16, failures, 20, 40, 40, 512, 512}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	if first, last := i.Judgements[0].At, i.Judgements[15].At; !first.Equal(at(0)) || !last.Equal(at(failures-1)) {
		t.Errorf("judgements from %s to %s, want the first and the last", first, last)
	}
	claims.Prove(t, "one incident", maxKinds, maxAddresses, maxExperiments, maxText)
}
