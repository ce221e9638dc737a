package module

import (
	"net/netip"
	"testing"
)

// An address is denied however it is spelt, and whatever stands around it.
func TestDenies(t *testing.T) {
	policy := DefaultNetworks()
	policy.DenyNetworks = append(policy.DenyNetworks, netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("2001:db8::/32"))
	policy.NAT64Prefixes = []netip.Prefix{netip.MustParsePrefix("2001:470:64::/64"),
		netip.MustParsePrefix("2001:470:96::/96")}
	for _, row := range []struct {
		addr string
		want string // the network; "" for an address that may be dialled
	}{
		{"169.254.169.254", "169.254.0.0/16"},
		{"::ffff:169.254.169.254", "169.254.0.0/16"}, // RFC 4291 section 2.5.5.2
		{"::169.254.169.254", "169.254.0.0/16"},
		{"64:ff9b::a9fe:a9fe", "169.254.0.0/16"},
		{"64:ff9b:1:2:3:4:a9fe:a9fe", "169.254.0.0/16"},
		{"2002:a9fe:a9fe::1", "169.254.0.0/16"},
		{"2001:0:a9fe:a9fe::", "169.254.0.0/16"},
		{"2001:0:102:304:0:0:5601:5601", "169.254.0.0/16"}, // the client's address is stored inverted
		{"2001:470::5efe:169.254.169.254", "169.254.0.0/16"},
		{"2001:470::200:5efe:a9fe:a9fe", "169.254.0.0/16"},
		{"::ffff:0:169.254.169.254", "169.254.0.0/16"},   // RFC 2765
		{"64:ff9b:a9fe:a9fe::", "169.254.0.0/16"},        // RFC 6052 section 2.2: /32
		{"64:ff9b:a9:fea9:fe::", "169.254.0.0/16"},       // /40
		{"64:ff9b:1:a9fe:a9:fe00::", "169.254.0.0/16"},   // /48
		{"64:ff9b:1:a9:fe:a9fe::", "169.254.0.0/16"},     // /56
		{"64:ff9b:1:0:a9:fea9:fe00::", "169.254.0.0/16"}, // /64
		{"64:ff9b:1:7:a9:fea9:fe12:3456", "169.254.0.0/16"},
		{"2001:db8:64:7:a9:fea9:fe00:0", "2001:db8::/32"},
		{"2001:470:64:0:a9:fea9:fe00:0", "169.254.0.0/16"}, // nat64_prefixes
		{"2001:470:96::a9fe:a9fe", "169.254.0.0/16"},
		{"2001:470:64:0:0:0:a9fe:a9fe", ""},                 // another length's place
		{"2002:c000:201::5efe:a9fe:a9fe", "169.254.0.0/16"}, // ISATAP in 6to4
		{"2002:a9fe:a9fe::5efe:c000:201", "169.254.0.0/16"},
		{"2001:470::300:5efe:a9fe:a9fe", "169.254.0.0/16"},
		{"2001:470::100:5efe:a9fe:a9fe", "169.254.0.0/16"},
		{"2001:470::400:5efe:a9fe:a9fe", ""}, // no ISATAP: another bit than the two of RFC 4291 appendix A
		{"2001:470::8000:5efe:a9fe:a9fe", ""},
		{"2001:470::1:5efe:a9fe:a9fe", ""},
		{"2001:470::1efe:a9fe:a9fe", ""},
		{"2001:470::5e00:a9fe:a9fe", ""},
		{"2001:470::5eff:a9fe:a9fe", ""},
		{"2001:470::5ffe:a9fe:a9fe", ""},
		{"2001:470::5dfe:a9fe:a9fe", ""},
		{"2001:470::5efd:a9fe:a9fe", ""},
		{"64:ff9b::0.0.0.0", "127.0.0.0/8"},
		{"fd00:42::42", "fd00:42::42/128"},
		{"fd00:c1::a9fe:a9fe", "fd00:c1::a9fe:a9fe/128"},
		{"fd00:a9fe:a9fe::1", "fd00:a9fe:a9fe::1/128"},
		{"fd00:100::100:200", "fd00:100::100:200/128"},
		{"fd00:ec2::23", "fd00:ec2::/32"},
		{"169.254.170.2", "169.254.0.0/16"},
		{"0.0.0.0", "127.0.0.0/8"},
		{"::", "127.0.0.0/8"},
		{"::ffff:0.0.0.0", "127.0.0.0/8"},
		{"fe80::1", "fe80::/10"},
		{"fe80::1%eth0", "fe80::/10"},
		{"febf:ffff::1%3", "fe80::/10"},
		{"fd00:ec2::254", "fd00:ec2::/32"},
		{"fd20:ce::254", "fd20:ce::254/128"},
		{"100.100.100.200", "100.100.100.200/32"},
		{"168.63.129.16", "168.63.129.16/32"},
		{"192.0.0.192", "192.0.0.192/32"},
		{"2001:db8::7", "2001:db8::/32"},
		{"169.253.255.255", ""},
		{"192.0.2.1", ""},
		{"::1", ""},
		{"fec0::1", ""},
		{"2002:c000:201::1", ""},
		{"64:ff9b::c000:201", ""},
		{"2001:470::1", ""},
		{"64:ff9b:1::c000:201", ""},
		{"::ffff:0:192.0.2.1", ""},
	} {
		network, denied := policy.Denies(netip.MustParseAddr(row.addr))
		got := ""
		if denied {
			got = network.String()
		}
		if got != row.want {
			t.Errorf("Denies(%s) = %q, want %q", row.addr, got, row.want)
		}
	}
}
