package history

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// TestHistory: rows are probes in order, "a" a success of target a, "A!" a failure of it, "a?" an abandoned one.
func TestHistory(t *testing.T) {
	for _, row := range []struct {
		name   string
		limit  int
		probes []string
		want   []string // what is kept, the newest first, as probe and ID
	}{
		{"nothing", 3, nil, nil},
		{"room", 3, []string{"a", "b!"}, []string{"b! 2", "a 1"}},
		{"none is kept", 0, []string{"a", "b!"}, nil},
		{"abandoned", 3, []string{"a?", "b"}, []string{"b 2"}},
		{"the oldest goes", 2, []string{"a", "a", "a"}, []string{"a 3", "a 2"}},
		{"of the target that has most", 3, []string{"b", "a", "a", "a"}, []string{"a 4", "a 3", "b 1"}},
		{"of several that have most, the oldest", 2, []string{"a", "b", "c"}, []string{"c 3", "b 2"}},
		{"failures outlive successes", 2, []string{"a!", "a", "a", "a"}, []string{"a 4", "a 3", "a! 1"}},
		{"one that always fails pushes out nobody", 3,
			[]string{"a", "b!", "b", "b", "c!", "c!", "c!", "c!", "c!", "c!", "c!", "c!"},
			[]string{"c! 12", "c! 11", "c! 10", "b 4", "b! 2", "a 1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := New(row.limit)
			for i, text := range row.probes {
				h.Add(Record{ID: ulid.ULID{15: byte(i + 1)}, Result: made(t, text), Module: module.New("m")})
			}
			var got []string
			for _, r := range h.Records() {
				got = append(got, fmt.Sprintf("%s %d", said(r), r.ID[15]))
				if again := h.Get(r.ID); again != r {
					t.Errorf("Get(%s) = %v, want the record that is listed", r.ID, again)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Records (-want +got):\n%s", diff)
			}
			if r := h.Get(ulid.ULID{15: 99}); r != nil {
				t.Errorf("Get(99) = %v, want none", r)
			}
		})
	}
}

// The last success before a failure is of the same target, as it is configured.
func TestSuccessBefore(t *testing.T) {
	h := New(10)
	for i, text := range []string{"a", "a", "b", "a!", "a", "a!"} {
		r := Record{ID: ulid.ULID{15: byte(i + 1)}, Result: made(t, text), Module: module.New("m")}
		if i == 1 {
			r.Target = "configured"
		}
		h.Add(r)
	}
	for _, row := range []struct {
		id     byte
		target string
		want   byte // 0 for none
	}{{4, "", 1}, {4, "configured", 2}, {6, "", 5}, {1, "", 0}, {6, "another", 0}} {
		got := byte(0)
		failed := Record{ID: ulid.ULID{15: row.id}, Target: row.target, Result: made(t, "a!")}
		if r := h.SuccessBefore(&failed); r != nil {
			got = r.ID[15]
		}
		if got != row.want {
			t.Errorf("before %d of %q: %d, want %d", row.id, row.target, got, row.want)
		}
	}
}

func made(t *testing.T, text string) *result.Result {
	t.Helper()
	u, err := url.Parse("http://" + text[:1])
	if err != nil {
		t.Fatal(err)
	}
	r := &result.Result{Target: result.Target{URL: u}, Module: "m"}
	switch text[1:] {
	case "!":
		r.Failure = &result.Failure{Reason: result.TCPReset}
	case "?":
		r.Failure = &result.Failure{Reason: result.Abandoned}
	}
	return r
}

func said(r *Record) string {
	if r.Result.Failure != nil {
		return r.Result.Target.URL.Host + "!"
	}
	return r.Result.Target.URL.Host
}

// Heads of a megabyte push out others before the number of records does.
func TestHistoryIsBoundedInBytes(t *testing.T) {
	h := New(1000)
	for i := range 100 {
		r := &result.Result{Target: result.Target{URL: &url.URL{Scheme: "http", Host: "a"}},
			Attempts: []result.Attempt{{Hops: []result.Hop{{
				Response: &result.Response{Header: http.Header{"Big": {strings.Repeat("x", 1<<20)}}},
			}}}}}
		h.Add(Record{ID: ulid.ULID{15: byte(i + 1)}, Result: r, Module: module.New("m")})
	}
	if n := len(h.Records()); n < 13 || n > 15 {
		t.Errorf("%d records of a megabyte are kept, want about 15: %d bytes", n, maxBytes)
	}
}

// What is kept costs at most half as much again as it is charged, whatever servers sent: each row fills the history
// with records of real probes, and compares the live heap after a collection with what was accounted.
func TestHistoryIsCharged(t *testing.T) {
	line := func(n int) string { return strings.Repeat("x", n) }
	fields := func(n int, field string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, field+"\r\n", i)
		}
		return b.String()
	}
	head := func(lines string) func(*testing.T) string {
		return func(t *testing.T) string {
			return faultlab.Answer(t, "HTTP/1.1 500 No\r\n"+lines+"Content-Length: 0\r\n\r\n")
		}
	}
	for _, row := range []struct {
		name  string
		serve func(*testing.T) string
	}{
		{"an ordinary failure", head("Server: lab\r\n")},
		{"900 empty fields", head(fields(900, "X%d:"))},
		{"900 empty fields of one name", head(strings.Repeat("X:\r\n", 900))},
		{"900 fields of 1 KB", head(fields(900, "X%d: "+line(1000)))},
		{"a field of 900 KB", head("X: " + line(900<<10) + "\r\n")},
		{"a reason phrase of 900 KB", func(t *testing.T) string {
			return faultlab.Answer(t, "HTTP/1.1 500 "+line(900<<10)+"\r\nContent-Length: 0\r\n\r\n")
		}},
		{"a status line that is none, of 900 KB", func(t *testing.T) string {
			return faultlab.Answer(t,
				line(900<<10)+"\r\n\r\n")
		}},
		{"redirects", func(t *testing.T) string { return faultlab.Redirects(t) + "1000" }},
		{"5,000 names in the certificate", func(t *testing.T) string { return faultlab.ManyNames(t) }},
		{"refused", func(t *testing.T) string { return faultlab.ClosedPort(t) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			target, err := prober.ParseTarget(row.serve(t))
			if err != nil {
				t.Fatal(err)
			}
			m := module.New("m")
			m.PreferIPv6, m.ValidStatusCodes, m.KeepBody = false, []int{299}, true
			m.TLS.InsecureSkipVerify = true
			p := prober.New(prober.Options{})
			probe := func() *result.Result {
				r := p.Probe(t.Context(), target, m)
				return &r
			}
			probe() // so that what is made once is there
			before := claims.LiveHeap()
			h := New(50)
			for i := range 50 {
				h.Add(Record{ID: ulid.ULID{15: byte(i + 1)}, Result: probe(), Module: m})
			}
			p = nil
			took := claims.LiveHeap() - before
			accounted := int64(h.results.bytes)
			if took > accounted*3/2 {
				t.Errorf("%d records take %d bytes, and %d were accounted: want at most 1.5 times that",
					h.results.count, took, accounted)
			}
			t.Logf("%d records: %d bytes live, %d accounted", h.results.count, took, accounted)
			runtime.KeepAlive(h)
		})
	}
	claims.Prove(t, "records", 2*maxBytes)
}

// Records outlive the configurations that they were made by, and do not hold on to them.
func TestHistoryLetsModulesGo(t *testing.T) {
	h := New(1000)
	modules := make([]weak.Pointer[module.Module], 100)
	for i := range modules {
		m := module.New("m")
		m.TLS.RootCAs = faultlab.Roots()
		h.Add(Record{ID: ulid.ULID{15: byte(i + 1)}, Result: made(t, "a!"), Module: m})
		modules[i] = weak.Make(m)
	}
	runtime.GC()
	for i, m := range modules {
		if m.Value() != nil {
			t.Fatalf("module %d of %d is still in memory", i, len(modules))
		}
	}
	if kept := h.Records()[0].Module; kept.Name != "m" || kept.TLS != nil {
		t.Errorf("the record keeps module %q with TLS %v, want %q without", kept.Name, kept.TLS, "m")
	}
	claims.Prove(t, "modules of earlier configurations")
}
