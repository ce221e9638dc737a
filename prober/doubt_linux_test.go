package prober_test

import (
	"net/http"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// TestDoubts: which durations are by the kernel's timestamps, whatever this process waits for, and which are by its own
// clock. That of processing is in part by both: nothing else runs here that would look when the response arrives.
func TestDoubts(t *testing.T) {
	slow := func(http.ResponseWriter, *http.Request) { time.Sleep(20 * time.Millisecond) }
	none, all := false, true
	secure := module.New("doubts")
	secure.TLS.RootCAs = faultlab.Roots()
	for _, row := range []struct {
		name, url string
		m         *module.Module
		clock     map[result.Phase]bool // whether all of it is
	}{
		{"over HTTP", faultlab.Handler(t, http.HandlerFunc(slow)), module.New("doubts"), map[result.Phase]bool{
			result.Resolve: none, result.Connect: none, result.Request: none, result.Processing: all}},
		{"over HTTPS", faultlab.TLSHandler(t, http.HandlerFunc(slow)), secure, map[result.Phase]bool{
			result.Resolve: none, result.Connect: none, result.Request: none, result.Processing: all}},
		{"over HTTP/3", faultlab.HTTP3Handler(t, http.HandlerFunc(slow)), http3Module(t, ""), map[result.Phase]bool{
			result.Resolve: none, result.Request: none}},
		{"nothing listens", faultlab.ClosedPort(t), module.New("doubts"), map[result.Phase]bool{
			result.Resolve: none, result.Connect: all}},
	} {
		r := probe(t, prober.New(prober.Options{}), row.url, row.m)
		for _, s := range r.Last().LastHop().Spans {
			clock, compared := row.clock[s.Phase]
			if compared && (s.Doubt > 0) != clock || clock && s.Doubt < s.Duration {
				t.Errorf("%s: %s of %s may be wrong by %s, want that this is all of it: %t", row.name, s.Phase, s.Duration,
					s.Doubt, clock)
			}
		}
	}
}
