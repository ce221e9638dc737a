package config

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestObserve: one line turns it on, and a mapping may say more.
func TestObserve(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       *Observe
	}{
		{"nothing", "", nil},
		{"false", "observe: false\n", nil},
		{"true", "observe: true\n", &Observe{Interval: 5 * time.Second}},
		{"an empty mapping", "observe: {}\n", &Observe{Interval: 5 * time.Second}},
		{"all keys", "observe: {interval: 1m, networks: [10.1.2.3/8, 192.0.2.1, '2001:db8::/32']}\n",
			&Observe{Interval: time.Minute, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"),
				netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::/32")}}},
	} {
		c, err := Parse([]byte("modules: {http_2xx: {prober: http}}\n"+row.text), "f.yml", ".")
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if diff := cmp.Diff(row.want, c.Observe, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
			t.Errorf("%s: Observe (-want +got):\n%s", row.name, diff)
		}
	}
}
