package config

import (
	"fmt"
	"strings"
	"testing"
)

// Networks are read as they are meant.
func TestDenyNetworks(t *testing.T) {
	c, err := Parse([]byte("modules: {http_2xx: {prober: http}}\nprobe_policy: {deny_networks: [10.1.2.3/8, "+
		"192.0.2.1, '::ffff:127.0.0.0/104', '2001:db8::1', '::ffff:0:0/90']}\n"), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.0/8", "192.0.2.1/32", "127.0.0.0/8", "2001:db8::1/128", "::ffc0:0:0/90"}
	if len(c.Policy.DenyNetworks) != len(want) {
		t.Fatalf("deny_networks = %v, want %v", c.Policy.DenyNetworks, want)
	}
	for i, network := range c.Policy.DenyNetworks {
		if network.String() != want[i] {
			t.Errorf("deny_networks[%d] = %s, want %s", i, network, want[i])
		}
	}
}

// What may stand under nat64_prefixes and max_concurrent.
func TestPolicyValues(t *testing.T) {
	const notPrefix = "is not a NAT64 prefix"
	for _, row := range []struct{ key, value, want, err string }{
		{"nat64_prefixes", "64:ff9b::/96", "[64:ff9b::/96]", ""},
		{"nat64_prefixes", "2001:db8:0:1::5/32", "[2001:db8::/32]", ""},
		{"nat64_prefixes", "2001:db8::/64, 2001:db8:1::/96", "[2001:db8::/64 2001:db8:1::/96]", ""},
		{"nat64_prefixes", "2001:db8::/52", "", notPrefix},
		{"nat64_prefixes", "10.0.0.0/32", "", notPrefix},
		{"nat64_prefixes", "::ffff:10.0.0.0/96", "", notPrefix},
		{"nat64_prefixes", "2001:db8::", "", notPrefix},
		{"nat64_prefixes", "x", "", notPrefix},
		{"max_concurrent", "0", "", "is out of range"},
		{"max_concurrent", "1", "1", ""},
		{"max_concurrent", "100000", "100000", ""},
		{"max_concurrent", "100001", "", "is out of range"},
	} {
		value := row.value
		if row.key == "nat64_prefixes" {
			value = "['" + strings.ReplaceAll(value, ", ", "', '") + "']"
		}
		c, err := Parse([]byte("modules: {http_2xx: {prober: http}}\nprobe_policy: {"+row.key+": "+value+"}\n"), "f.yml",
			".")
		if row.err != "" {
			if err == nil || !strings.Contains(err.Error(), row.err) {
				t.Errorf("%s %s: error %v, want one that %s", row.key, row.value, err, row.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", row.key, row.value, err)
			continue
		}
		got := map[string]string{"nat64_prefixes": fmt.Sprint(c.Policy.NAT64Prefixes),
			"max_concurrent": fmt.Sprint(c.Policy.MaxConcurrent)}[row.key]
		if got != row.want {
			t.Errorf("%s %s = %s, want %s", row.key, row.value, got, row.want)
		}
	}
}
