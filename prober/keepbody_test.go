package prober_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// The beginning of a body is kept of failures, where that is wanted.
func TestKeepBody(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1000)
	serve := func(status int, body string) func(*testing.T) string {
		return func(t *testing.T) string {
			return faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
			}))
		}
	}
	// The declared length is more than what is sent: the body ends short.
	brokenOff := func(body string) func(*testing.T) string {
		return func(t *testing.T) string {
			return faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
				_, _ = w.Write([]byte(body))
			}))
		}
	}
	for _, row := range []struct {
		name  string
		serve func(*testing.T) string
		keep  bool
		want  string
		fails bool
	}{
		{"a failure", serve(500, "database is down"), true, "database is down", true},
		{"a long one", serve(500, long), true, long[:2048], true},
		{"a success", serve(200, "fine"), true, "", false},
		{"not wanted", serve(500, "database is down"), false, "", true},
		{"broken off", brokenOff("the beginning"), true, "the beginning", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := module.New("keep")
			m.PreferIPv6, m.KeepBody = false, row.keep
			target, err := prober.ParseTarget(row.serve(t))
			if err != nil {
				t.Fatal(err)
			}
			r := prober.New(prober.Options{UserAgent: "test"}).Probe(t.Context(), target, m)
			got := string(r.Last().LastHop().Response.Body)
			if (r.Failure != nil) != row.fails {
				t.Errorf("failure %+v, want one: %t", r.Failure, row.fails)
			}
			if got != row.want {
				t.Errorf("kept %d bytes, want %d: %q", len(got), len(row.want), got)
			}
		})
	}
	claims.Prove(t, "what a record keeps of a failed response's body", 2048)
}

// What an error page says is marked without keeping it; a page that is no error's is not looked at.
func TestMarks(t *testing.T) {
	for _, row := range []struct {
		status int
		body   string
		want   result.Marks
	}{
		{503, "<h1>Down for Maintenance</h1>", result.MaintenanceWords},
		{503, "unable to service your request due to maintenance downtime or capacity\nproblems.", 0},
		{500, "sorry", 0},
		{404, "an article on maintenance", 0},
	} {
		target, err := prober.ParseTarget(faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(row.status)
			_, _ = w.Write([]byte(row.body))
		})))
		if err != nil {
			t.Fatal(err)
		}
		m := module.New("marks")
		m.PreferIPv6 = false
		probed := prober.New(prober.Options{UserAgent: "test"}).Probe(t.Context(), target, m)
		r := probed.Last().LastHop().Response
		if r.Marks != row.want || r.Body != nil {
			t.Errorf("%d with %q: marks %b and body %q, want %b and none", row.status, row.body, r.Marks, r.Body, row.want)
		}
	}
}
