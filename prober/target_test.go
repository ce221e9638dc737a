package prober

import (
	"context"
	"strings"
	"testing"

	"errno_exporter/prober/module"
)

func TestParseTarget(t *testing.T) {
	for _, row := range []struct{ raw, want, err string }{
		{"https://api.example.com/v1?a=b", "https://api.example.com/v1?a=b", ""},
		{"http://api.example.com", "http://api.example.com", ""},
		{"HTTPS://API.example.com/x", "https://API.example.com/x", ""},
		{"api.example.com", "http://api.example.com", ""},
		{"api.example.com:8080/health", "http://api.example.com:8080/health", ""},
		{"api.example.com/next?url=https://other.example", "http://api.example.com/next?url=https://other.example", ""},
		{"[2001:db8::1]:8080", "http://[2001:db8::1]:8080", ""},
		{"https://user:secret@api.example.com", "https://user:secret@api.example.com", ""},
		{"http://a/x%252By+z", "http://a/x%252By+z", ""},
		{"", "", "target is missing: add target=URL, such as target=https://api.example.com/health"},
		{"  ", "", "target is missing: add target=URL, such as target=https://api.example.com/health"},
		{"ftp://a/", "", `target "ftp://a/": scheme "ftp" is not supported, want http or https`},
		{"http://", "", `target "http://": host is missing, want http://HOST[:PORT]/PATH`},
		{"http://:80/", "", `target "http://:80/": host is missing, want http://HOST[:PORT]/PATH`},
		{"http://a:0/", "", `target "http://a:0/": port "0" is out of range, want 1 to 65535`},
		{"http://a:65536/", "", `target "http://a:65536/": port "65536" is out of range, want 1 to 65535`},
		{"http://a:http/", "", `target "http://a:http/" is not a URL: invalid port ":http" after host`},
		{"::1", "", `target "::1" is not a URL: write an IPv6 address in brackets, as in [::1]`},
		{" http://a/", "", `target " http://a/" is not a URL: remove the space around it`},
		{"http://a/%zz", "", `target "http://a/%zz" is not a URL: invalid URL escape "%zz"`},
		{"http://0.0.0.0/", "", `target "http://0.0.0.0/": address "0.0.0.0" means this host itself, name the address to ` +
			`probe`},
		{"http://[::]/", "", `target "http://[::]/": address "::" means this host itself, name the address to probe`},
		{"http://224.0.0.5/", "", `target "http://224.0.0.5/": address "224.0.0.5" is no host's (multicast or broadcast), ` +
			`name the address to probe`},
		{"http://255.255.255.255/", "", `target "http://255.255.255.255/": address "255.255.255.255" is no host's ` +
			`(multicast or broadcast), name the address to probe`},
		{"http://[ff02::1%25eth0]/", "", `target "http://[ff02::1%25eth0]/": address "ff02::1%eth0" is no host's ` +
			`(multicast or broadcast), name the address to probe`},
		{"http://\u00ad/", "", `target "http://\u00ad/": host "\u00ad" is empty as a name in DNS, want a name such as ` +
			`api.example.com`},
		{"http://%C2%AD:8080/", "", `target "http://%C2%AD:8080/": host "\u00ad" is empty as a name in DNS, want a name ` +
			`such as api.example.com`},
		{"http://\u200b.\u2060/", "", `target "http://\u200b.\u2060/": host "\u200b.\u2060" is empty as a name in DNS, ` +
			`want a name such as api.example.com`},
		{"http://./", "", `target "http://./": host "." is empty as a name in DNS, want a name such as api.example.com`},
		{"http://a..b/", "", `target "http://a..b/": host "a..b" has an empty label, want a name such as api.example.com`},
		{"https://u:secret@a:http/", "", `target "https://a:http/" is not a URL: invalid port ":http" after host`},
		{"https://u:secret@a:0/", "", `target "https://a:0/": port "0" is out of range, want 1 to 65535`},
	} {
		target, err := ParseTarget(row.raw)
		got, message := "", ""
		if err != nil {
			message = err.Error()
		} else {
			got = target.URL.String()
		}
		if got != row.want || message != row.err {
			t.Errorf("ParseTarget(%q) = %q, %q, want %q, %q", row.raw, got, message, row.want, row.err)
		}
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"https://api.example.com/", "a:80", "[::1]", "http://u:p@h/%2f?q#f", "://",
		"http://a\nb/", "\x00", "http://ä.example", "http://\u00ad/", "http://a\u200b..b", "http://\u3002",
		"http://" + strings.Repeat("a", 64), "http://" + strings.Repeat("a.", 200), "http://[::1%25\u00ad]/",
		"http://xn--/", "http://\uff11.1"} {
		f.Add(seed)
	}
	m := module.New("resolving")
	m.Resolver = &module.Resolver{Servers: []string{"127.0.0.1:1"}, Protocol: "udp"} // nothing is there
	p := New(Options{})
	f.Fuzz(func(t *testing.T, raw string) {
		target, err := ParseTarget(raw)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("ParseTarget(%q): the error is more than a line: %q", raw, err)
			}
			return
		}
		if s := target.URL.Scheme; s != "http" && s != "https" {
			t.Errorf("ParseTarget(%q) let scheme %q pass", raw, s)
		}
		if _, err := ParseTarget(target.URL.String()); err != nil {
			t.Errorf("ParseTarget(%q) does not read its own %q: %v", raw, target.URL, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // the questions are built, and none leaves
		if host, err := module.ASCIIHost(target.URL.Hostname()); err != nil || host == "" {
			t.Errorf("ParseTarget(%q) lets the host %q pass: %v", raw, target.URL.Hostname(), err)
		} else if _, isAddr := literal(host); isAddr {
			return
		} else if _, _, err := p.newAttempt(ctx, target, m, "").resolve(host); err == nil {
			t.Errorf("the name %q of %q resolves, and nothing was asked", host, raw)
		}
	})
}
