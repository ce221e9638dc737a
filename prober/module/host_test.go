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
