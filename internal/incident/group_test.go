package incident

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/cause"
	"errno_exporter/prober/result"
)

// Rows are incidents, and the groups that they are put into: the place in common, and their targets.
func TestGroups(t *testing.T) {
	one := func(target string, minute int, kind Kind, address string) *Incident {
		i := &Incident{ID: id(minute*10 + int(target[0]-'a')), Target: target, URL: "http://" + target + ".test/",
			Begin: at(minute), Kinds: []Kind{kind}}
		if address != "" {
			i.Addresses = []Address{{Address: "198.51.100.1:80", Succeeded: 3}, {Address: address, Failed: 1}}
		}
		return i
	}
	judged := func(i *Incident, c cause.Cause, p cause.Party) *Incident {
		i.Verdict = &cause.Verdict{Cause: c, Party: p, Confidence: cause.High}
		return i
	}
	refused := Kind{Phase: result.Connect, Reason: result.TCPRefused, Errno: "ECONNREFUSED", Count: 1}
	silent := Kind{Phase: result.Connect, Reason: result.TCPTimedOut, Errno: "ETIMEDOUT", Count: 1}
	servfail := Kind{Phase: result.Resolve, Reason: result.DNSServfail, Count: 1}
	for _, row := range []struct {
		name      string
		incidents []*Incident
		want      []string
	}{
		{"none", nil, nil},
		{"alone", []*Incident{one("a", 0, refused, "192.0.2.1:80")}, []string{"network 192.0.2.0/24: a"}},
		{"one network", []*Incident{one("a", 0, refused, "192.0.2.1:80"), one("b", 4, refused, "192.0.2.200:443"),
			one("c", 1, refused, "192.0.3.1:80")}, []string{"network 192.0.2.0/24: a b", "network 192.0.3.0/24: c"}},
		{"one network of IPv6", []*Incident{one("a", 0, refused, "[2001:db8::1]:80"), one("b", 1, refused, "2001:db8:0:1::1")},
			[]string{"network 2001:db8::/48: a b"}},
		{"not at the same time", []*Incident{one("a", 0, refused, "192.0.2.1:80"), one("b", 6, refused, "192.0.2.1:80")},
			[]string{"network 192.0.2.0/24: b", "network 192.0.2.0/24: a"}},
		{"not the same failure", []*Incident{one("a", 0, refused, "192.0.2.1:80"), one("b", 1, silent, "192.0.2.1:80")},
			[]string{"network 192.0.2.0/24: b", "network 192.0.2.0/24: a"}},
		{"not the same cause", []*Incident{judged(one("a", 0, refused, "192.0.2.1:80"), cause.NotListening, cause.Server),
			one("b", 1, refused, "192.0.2.1:80")}, []string{"network 192.0.2.0/24: b", "network 192.0.2.0/24: a"}},
		{"names that are not resolved", []*Incident{one("a", 0, servfail, ""), one("b", 1, servfail, "")},
			[]string{"resolver : a b"}},
		{"the exporter's own network, wherever the targets are", []*Incident{
			judged(one("a", 0, silent, "192.0.2.1:80"), cause.NoEgress, cause.Us),
			judged(one("b", 1, silent, "203.0.113.1:80"), cause.NoEgress, cause.Us)}, []string{"exporter : a b"}},
		{"one host, no address", []*Incident{one("a", 0, silent, ""), one("a", 1, silent, ""), one("b", 1, silent, "")},
			[]string{"host b.test: b", "host a.test: a"}},
	} {
		var got []string
		for _, g := range Groups(row.incidents) {
			got = append(got, fmt.Sprintf("%s %s: %s", g.Shared, g.Where, strings.Join(g.Targets(), " ")))
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: groups (-want +got):\n%s", row.name, diff)
		}
	}
}
