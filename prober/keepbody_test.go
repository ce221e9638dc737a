package prober_test

import (
	"net/http"
	"strings"
	"testing"

	"errno_exporter/config"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
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
	for _, row := range []struct {
		name  string
		serve func(*testing.T) string
		keep  bool
		want  string
	}{
		{"a failure", serve(500, "database is down"), true, "database is down"},
		{"a long one", serve(500, long), true, long[:2048]},
		{"a success", serve(200, "fine"), true, ""},
		{"not wanted", serve(500, "database is down"), false, ""},
		{"broken off", func(t *testing.T) string { return faultlab.ResetMidBody(t) }, true, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := config.NewModule("keep")
			m.PreferIPv6, m.KeepBody = false, row.keep
			target, err := prober.ParseTarget(row.serve(t))
			if err != nil {
				t.Fatal(err)
			}
			r := prober.New(prober.Options{UserAgent: "test"}).Probe(t.Context(), target, m)
			got := string(r.Last().LastHop().Response.Body)
			if row.name == "broken off" { // whatever arrived
				if got == "" || r.Failure == nil {
					t.Errorf("kept %q of a body that was broken off", got)
				}
				return
			}
			if got != row.want {
				t.Errorf("kept %d bytes, want %d: %q", len(got), len(row.want), got)
			}
		})
	}
	claims.Prove(t, "what a record keeps of a failed response's body", 2048)
}
