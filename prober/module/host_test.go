package module

import (
	"strings"
	"testing"
)

func TestASCIIHost(t *testing.T) {
	for _, row := range []struct{ host, want string }{
		{"api.example.com", "api.example.com"},
		{"api.example.com.", "api.example.com."},
		{"API.example.com", "API.example.com"},
		{"b\u00fccher.example", "xn--bcher-kva.example"},
		{"b\u00fccher\u3002example", "xn--bcher-kva.example"},
		{"a\u00adb.example", "ab.example"},
		{"under_score.example", "under_score.example"},
		{"-dash.example", "-dash.example"},
		{"\uff11\uff12\uff17.0.0.1", "127.0.0.1"},
		{"192.0.2.1", "192.0.2.1"},
		{"2001:db8::1", "2001:db8::1"},
		{"fe80::1%eth0", "fe80::1%eth0"},
		{strings.Repeat("a", 63) + ".example", strings.Repeat("a", 63) + ".example"},
		{strings.Repeat("abcdefgh.", 28) + "a", strings.Repeat("abcdefgh.", 28) + "a"},
	} {
		if got, err := ASCIIHost(row.host); got != row.want || err != nil {
			t.Errorf("ASCIIHost(%q) = %q, %v, want %q", row.host, got, err, row.want)
		}
	}
}

func TestSpeltIPv4(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.66": "127.0.0.66", "127.0.0.66.": "127.0.0.66", "2130706498": "127.0.0.66",
		"0x7f000042": "127.0.0.66", "0X7F.66": "127.0.0.66", "017700000102": "127.0.0.66",
		"0177.0.0.0102": "127.0.0.66", "127.66": "127.0.0.66", "127.0.66": "127.0.0.66", "127.0.0.0x42.": "127.0.0.66",
		"0": "0.0.0.0", "0x": "0.0.0.0", "4294967295": "255.255.255.255", "1.16777215": "1.255.255.255",
		"": "", ".": "", "4294967296": "", "256.1": "", "1.16777216": "", "1.2.65536": "", "1.2.3.256": "",
		"1.2.3.4.5": "", "1..2": "", "08": "", "0x1g": "", "+1": "", "1_0": "", "0x_1": "", "a": "", "1.a": "", "1.2..": "",
		"-1": "", "::1": "",
	} {
		got, ok := SpeltIPv4(host)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("SpeltIPv4(%q) = %s, %t, want %q", host, got, ok, want)
		}
	}
}
