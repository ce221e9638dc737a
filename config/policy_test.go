package config

import (
	"testing"
)

// Networks are read as they are meant.
func TestDenyNetworks(t *testing.T) {
	c, err := Parse([]byte("modules: {http_2xx: {prober: http}}\nprobe_policy: {deny_networks: [10.1.2.3/8, "+
		"192.0.2.1, '::ffff:127.0.0.0/104', '2001:db8::1']}\n"), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.0/8", "192.0.2.1/32", "127.0.0.0/8", "2001:db8::1/128"}
	if len(c.Policy.DenyNetworks) != len(want) {
		t.Fatalf("deny_networks = %v, want %v", c.Policy.DenyNetworks, want)
	}
	for i, network := range c.Policy.DenyNetworks {
		if network.String() != want[i] {
			t.Errorf("deny_networks[%d] = %s, want %s", i, network, want[i])
		}
	}
}
