package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// spelt are the ways to write 127.0.0.66 as the host of a URL, and what a client gets for it: a refusal, or that there
// is no such name, as the system's C library would understand the host as a number and Go does not.
var spelt = []struct{ name, host, want string }{
	{"IPv4", "127.0.0.66", "denied"},
	{"IPv4-mapped", "[::ffff:127.0.0.66]", "denied"},
	{"IPv4-mapped, hexadecimal", "[::FFFF:7F00:42]", "denied"},
	{"IPv4-mapped with a zone", "[::ffff:127.0.0.66%25lo]", "denied or none"},
	{"IPv4-compatible", "[::7f00:42]", "denied"},
	{"IPv4-translated", "[::ffff:0:7f00:42]", "denied"},
	{"well-known NAT64, 96 bits", "[64:ff9b::7f00:42]", "denied"},
	{"well-known NAT64, 64 bits", "[64:ff9b::7f:0:4200:0]", "denied"},
	{"well-known NAT64, 56 bits", "[64:ff9b:0:7f:0:42::]", "denied"},
	{"well-known NAT64, 48 bits", "[64:ff9b:0:7f00:0:4200::]", "denied"},
	{"well-known NAT64, 40 bits", "[64:ff9b:7f:0:42::]", "denied"},
	{"well-known NAT64, 32 bits", "[64:ff9b:7f00:42::]", "denied"},
	{"local NAT64, 96 bits", "[64:ff9b:1::7f00:42]", "denied"},
	{"local NAT64, 64 bits", "[64:ff9b:1:0:7f:0:4200:0]", "denied"},
	{"local NAT64, 56 bits", "[64:ff9b:1:7f:0:42::]", "denied"},
	{"local NAT64, 48 bits", "[64:ff9b:1:7f00:0:4200::]", "denied"},
	{"the operator's NAT64", "[2001:470:96::7f00:42]", "denied"},
	{"6to4", "[2002:7f00:42::1]", "denied"},
	{"Teredo's server", "[2001:0:7f00:42::]", "denied"},
	{"Teredo's client", "[2001:0:102:304::80ff:ffbd]", "denied"},
	{"ISATAP", "[2001:470::5efe:7f00:42]", "denied"},
	{"ISATAP of a global address", "[2001:470::200:5efe:7f00:42]", "denied"},
	{"one number", "2130706498", "none"},
	{"one number in octal", "017700000102", "none"},
	{"one number in hexadecimal", "0x7f000042", "none"},
	{"octal", "0177.0.0.0102", "none"},
	{"short", "127.66", "none"},
	{"with a dot", "127.0.0.66.", "denied or none"},
	{"mathematical digits", "𝟏𝟐𝟕.𝟎.𝟎.𝟔𝟔", "denied"},
	{"circled digits", "①②⑦.⓪.⓪.⑥⑥", "denied"},
	{"ideographic full stops", "127。0｡0．66", "denied"},
	{"a soft hyphen", "127.0.0.6\u00ad6", "denied"},
	{"a zero-width space", "127.0.0.6\u200b6", "denied"},
	{"a name", "denied.test", "denied"},
	{"a name in full width, with its dot", "ＤＥＮＩＥＤ.test.", "denied"},
	{"a name with each family", "each.test", "denied"},
	{"a name by NAT64", "nat64.test", "denied"},
	{"a name by 6to4", "6to4.test", "denied"},
	{"a name by ISATAP", "isatap.test", "denied"},
}

// ways are how a client leads the exporter to a host: what is probed, and by which module.
var ways = []struct {
	name, module string
	redirects    bool
}{
	{"the first request", "plain", false},
	{"a redirect", "plain", true},
	{"through a proxy", "proxy", false},
	{"through a proxy that resolves", "unresolved", false},
	{"a redirect through a proxy", "proxy", true},
	{"by name servers of the module", "asks", false},
	{"a redirect, by name servers of the module", "asks", true},
	{"every address", "all", false},
	{"HTTP/3", "http3", false},
	{"a redirect, with experiments", "diagnosed", true},
}

// No spelling of a denied address is connected to, on no way. What is denied is either refused or no name.
func TestSpellingsAreDenied(t *testing.T) {
	denied := netip.MustParseAddr("127.0.0.66")
	var reached atomic.Int64
	forbidden := faultlab.HandlerOn(t, "127.0.0.66:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		reached.Add(1)
	}))
	resolver := faultlab.DNS(t, map[string][]netip.Addr{
		"denied.test": {denied}, "each.test": {netip.MustParseAddr("64:ff9b::7f00:42"), denied},
		"nat64.test":  {netip.MustParseAddr("64:ff9b::7f00:42")},
		"6to4.test":   {netip.MustParseAddr("2002:7f00:42::1")},
		"isatap.test": {netip.MustParseAddr("2001:470::5efe:7f00:42")},
	})
	proxy := faultlab.HTTPProxy(t)
	c := &config.Config{Policy: config.DefaultPolicy(), Modules: spellingModules(t, resolver, proxy.URL)}
	c.Policy.DenyNetworks = append(c.Policy.DenyNetworks, netip.MustParsePrefix("127.0.0.64/26"))
	c.Policy.NAT64Prefixes = []netip.Prefix{netip.MustParsePrefix("2001:470:96::/96")}
	server := serveOptions(t, c, slog.New(slog.DiscardHandler), prober.Options{Resolver: resolver})
	redirect := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	_, port, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(forbidden, "http://"), "/"), ":")
	for _, way := range ways {
		for _, row := range spelt {
			target := fmt.Sprintf("http://%s:%s/", row.host, port)
			if way.redirects {
				target = redirect + "?to=" + url.QueryEscape(target)
			}
			if way.module == "unresolved" && strings.Contains(row.name, "a name") {
				continue // the proxy's to decide
			}
			got := kindOf(probePolicy(t, server.URL, target, way.module))
			if !strings.Contains(row.want, got) && !(way.module == "unresolved" && got == "denied") {
				t.Errorf("%s, %s: %s, want %s", way.name, row.name, got, row.want)
			}
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d requests reached the denied address", n)
	}
}

// kindOf is what an answer means: the address is denied, or no name was found.
func kindOf(outcome string) string {
	switch outcome {
	case "403", "local.denied self":
		return "denied"
	case "400", "probe.config self", "dns.name_not_resolved peer", "http.response.redirect_invalid self":
		return "none"
	}
	return outcome
}

func spellingModules(t *testing.T, resolver, proxy string) map[string]*module.Module {
	t.Helper()
	all := map[string]*module.Module{}
	add := func(name string, change func(*module.Module)) {
		m := module.New(name)
		m.Timeout = 5 * time.Second
		change(m)
		all[name] = m
	}
	through := func(m *module.Module) {
		u, err := url.Parse(proxy)
		m.Proxy = func(*http.Request) (*url.URL, error) { return u, err }
	}
	add("plain", func(*module.Module) {})
	add("proxy", through)
	add("unresolved", func(m *module.Module) { through(m); m.SkipResolve = true })
	add("all", func(m *module.Module) { m.AllAddresses = true })
	add("http3", func(m *module.Module) { m.EnableHTTP3, m.EnableHTTP2 = true, false })
	add("diagnosed", func(m *module.Module) { m.Diagnose.OnFailure = true })
	add("asks", func(m *module.Module) {
		m.Resolver = &module.Resolver{Servers: []string{resolver}, Protocol: "udp"}
	})
	return all
}
