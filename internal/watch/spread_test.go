package watch

import (
	"net/url"
	"strings"
	"testing"

	"errno_exporter/config"
	"errno_exporter/internal/target"
)

// Probes that start together are of different hosts as far as the next ones have other hosts, in an order that is the
// same each time.
func TestSpread(t *testing.T) {
	same := func(n int) string { return strings.Repeat("a", n) }
	for _, row := range []struct{ name, hosts, want string }{
		{"nothing", "", ""},
		{"different hosts stay", "abcdefgh", "abcdefgh"},
		{"one host", "aaaaa", "aaaaa"},
		{"neighbours of one host", "aaabbbccc", "abcabcabc"},
		{"fewer hosts than start together", "aaabbb", "abaabb"},
		{"the same host in the next ones", "abcabc", "abcabc"},
		{"another host far behind comes as far forward as it may", same(spreadAhead+10) + "b",
			same(11) + "b" + same(spreadAhead-1)},
	} {
		var starting []due
		for _, host := range row.hosts {
			starting = append(starting, due{target: &target.Target{Config: &config.Target{
				URL: &url.URL{Host: string(host)}}}})
		}
		spread(starting, 3)
		var got strings.Builder
		for _, d := range starting {
			got.WriteString(d.host())
		}
		if got.String() != row.want {
			t.Errorf("%s: spread(%s) = %s, want %s", row.name, row.hosts, &got, row.want)
		}
	}
}
