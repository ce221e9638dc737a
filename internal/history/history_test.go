package history

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
	"errno_exporter/prober"
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
		{"abandoned", 3, []string{"a?", "b"}, []string{"b 1"}},
		{"the oldest goes", 2, []string{"a", "a", "a"}, []string{"a 3", "a 2"}},
		{"of the target that has most", 3, []string{"b", "a", "a", "a"}, []string{"a 4", "a 3", "b 1"}},
		{"of several that have most, the oldest", 2, []string{"a", "b", "c"}, []string{"c 3", "b 2"}},
		{"failures outlive successes", 2, []string{"a!", "a", "a", "a"}, []string{"a 4", "a 3", "a! 1"}},
		{"one that always fails pushes out nobody", 3, []string{"a", "b!", "b", "b", "c!", "c!", "c!", "c!", "c!", "c!", "c!", "c!"},
			[]string{"c! 12", "c! 11", "c! 10", "b 4", "b! 2", "a 1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := New(row.limit)
			for _, text := range row.probes {
				h.Add(made(t, text), config.NewModule("m"))
			}
			var got []string
			for _, r := range h.Records() {
				got = append(got, fmt.Sprintf("%s %d", said(r), r.ID))
				if again := h.Get(r.ID); again != r {
					t.Errorf("Get(%d) = %v, want the record that is listed", r.ID, again)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Records (-want +got):\n%s", diff)
			}
			if r := h.Get(99); r != nil {
				t.Errorf("Get(99) = %v, want none", r)
			}
		})
	}
}

func made(t *testing.T, text string) *prober.Result {
	t.Helper()
	u, err := url.Parse("http://" + text[:1])
	if err != nil {
		t.Fatal(err)
	}
	r := &prober.Result{Target: prober.Target{URL: u}, Module: "m"}
	switch text[1:] {
	case "!":
		r.Failure = &prober.Failure{Reason: prober.TCPReset}
	case "?":
		r.Failure = &prober.Failure{Reason: prober.Abandoned}
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
	for range 100 {
		r := &prober.Result{Target: prober.Target{URL: &url.URL{Scheme: "http", Host: "a"}}, Attempts: []prober.Attempt{{Hops: []prober.Hop{{
			Response: &prober.Response{Header: http.Header{"Big": {strings.Repeat("x", 1<<20)}}},
		}}}}}
		h.Add(r, config.NewModule("m"))
	}
	if n := len(h.Records()); n < 25 || n > 31 {
		t.Errorf("%d records of a megabyte are kept, want about 31: %d bytes", n, maxBytes)
	}
}
