package metrics

import (
	"net/http"
	"testing"

	"errno_exporter/prober/result"
)

// Each row is an attempt by the responses of its hops; status 0 stands for none.
func TestRedirects(t *testing.T) {
	for _, row := range []struct {
		name     string
		statuses []int
		location string // of every response
		want     float64
	}{
		{"none", []int{200}, "", 0},
		{"followed", []int{301, 302, 200}, "/next", 2},
		{"not followed", []int{302}, "/next", 1},
		{"followed, then one that was not", []int{307, 308}, "/next", 2},
		{"leads nowhere", []int{302}, "", 0},
		{"not a redirect in spite of its Location", []int{201}, "/made", 0},
		{"followed, then no response", []int{303, 0}, "/next", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			var attempt result.Attempt
			for _, status := range row.statuses {
				hop := result.Hop{}
				if status != 0 {
					hop.Response = &result.Response{Status: status, Header: http.Header{"Location": {row.location}}}
				}
				attempt.Hops = append(attempt.Hops, hop)
			}
			if got := redirects(&attempt); got != row.want {
				t.Errorf("redirects(%v, Location %q) = %v, want %v", row.statuses, row.location, got, row.want)
			}
		})
	}
}
