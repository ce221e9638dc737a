package web

import (
	"fmt"
	"log/slog"
	"net"
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

// forbidden counts the connections to servers that the policy denies, at one port of 127.0.0.66 and ::1.
type forbidden struct {
	port  string
	taken atomic.Int64
}

func listenForbidden(t *testing.T) *forbidden {
	t.Helper()
	f := &forbidden{port: "0"}
	for _, host := range []string{"127.0.0.66", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, f.port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		_, f.port, _ = net.SplitHostPort(l.Addr().String())
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				f.taken.Add(1)
				_ = conn.Close()
			}
		}()
	}
	return f
}

// The ways around the policy: each is answered 403, or with a failure local.denied of origin self, and none reaches the
// server.
func TestPolicy(t *testing.T) {
	f := listenForbidden(t)
	// It answers /STATUS?to=URL with a redirect.
	redirect := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := 302
		_, _ = fmt.Sscan(r.URL.Path[1:], &status)
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(status)
	}))
	proxy := faultlab.HTTPProxy(t)
	denied, mapped := netip.MustParseAddr("127.0.0.66"), netip.MustParseAddr("::ffff:127.0.0.66")
	open := netip.MustParseAddr("127.0.0.1")
	resolver := faultlab.DNS(t, map[string][]netip.Addr{
		"denied.test": {denied}, "mapped.test": {mapped}, "six.test": {netip.IPv6Loopback()},
		"zero.test": {netip.IPv4Unspecified()},
		"both.test": {open, denied}, "xn--bcher-kva.test": {denied}, "0x7f.0.0.66": {denied},
		"meta.test": {netip.MustParseAddr("169.254.169.254")},
		"open.test": {open},
	})
	made := func(name string, change func(*module.Module)) *module.Module {
		m := module.New(name)
		m.Timeout = 5 * time.Second
		change(m)
		return m
	}
	through := func(m *module.Module) {
		u, err := url.Parse(proxy.URL)
		m.Proxy = func(*http.Request) (*url.URL, error) { return u, err }
	}
	c := &config.Config{Policy: config.DefaultPolicy(), Modules: map[string]*module.Module{
		"http_2xx": made("http_2xx", func(*module.Module) {}),
		"all":      made("all", func(m *module.Module) { m.AllAddresses = true }),
		"retry": made("retry", func(m *module.Module) {
			m.Retry = module.Retry{Attempts: 3, InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond}
		}),
		"http3":      made("http3", func(m *module.Module) { m.EnableHTTP3, m.EnableHTTP2 = true, false }),
		"proxy":      made("proxy", through),
		"unresolved": made("unresolved", func(m *module.Module) { through(m); m.SkipResolve = true }),
		"asks": made("asks", func(m *module.Module) {
			m.Resolver = &module.Resolver{Servers: []string{resolver},
				Protocol: "udp"}
		}),
	}}
	c.Policy.DenyNetworks = append(c.Policy.DenyNetworks, netip.MustParsePrefix("127.0.0.64/26"),
		netip.MustParsePrefix("::1/128"))
	leads := redirect + "302?to=" + url.QueryEscape("http://127.0.0.66:"+f.port+"/")
	u, err := url.Parse(leads)
	if err != nil {
		t.Fatal(err)
	}
	own, err := url.Parse("http://127.0.0.66:" + f.port + "/")
	if err != nil {
		t.Fatal(err)
	}
	c.Targets = []*config.Target{{Name: "leads", URL: u, ShownURL: u.String(), Module: c.Modules["http_2xx"]},
		{Name: "own", URL: own, ShownURL: own.String(), Module: c.Modules["http_2xx"]}}
	server := serveOptions(t, c, slog.New(slog.DiscardHandler), prober.Options{Resolver: resolver})

	const refused, failed, noName = "403", "local.denied self", "probe.config self"
	to := func(status int, location string) string {
		return redirect + fmt.Sprintf("%d?to=%s", status, url.QueryEscape(strings.ReplaceAll(location, "PORT", f.port)))
	}
	for _, row := range []struct{ name, target, module, want string }{
		{"the address", "http://127.0.0.66:PORT/", "", refused},
		{"without a scheme", "127.0.0.66:PORT", "", refused},
		{"with userinfo", "http://open.test@127.0.0.66:PORT/", "", refused},
		{"https", "https://127.0.0.66:PORT/", "", refused},
		{"HTTP/3", "https://[::1]:PORT/", "http3", refused},
		{"IPv4-mapped", "http://[::ffff:127.0.0.66]:PORT/", "", refused},
		{"IPv4-mapped, hexadecimal", "http://[::ffff:7f00:42]:PORT/", "", refused},
		{"IPv4-mapped, in full", "http://[0:0:0:0:0:ffff:7f00:0042]:PORT/", "", refused},
		{"IPv4-compatible", "http://[::127.0.0.66]:PORT/", "", refused},
		{"NAT64", "http://[64:ff9b::127.0.0.66]:PORT/", "", refused},
		{"local NAT64", "http://[64:ff9b:1::7f00:42]:PORT/", "", refused},
		{"6to4", "http://[2002:7f00:42::1]:PORT/", "", refused},
		{"Teredo", "http://[2001:0:102:304::80ff:ffbd]:PORT/", "", refused},
		{"ISATAP", "http://[2001:470::5efe:7f00:42]:PORT/", "", refused},
		{"IPv6 loopback", "http://[::1]:PORT/", "", refused},
		{"IPv6 loopback, in full", "http://[0:0:0:0:0:0:0:1]:PORT/", "", refused},
		{"with a zone", "http://[::1%25lo]:PORT/", "", refused},
		{"IPv4-translated", "http://[::ffff:0:127.0.0.66]:PORT/", "", refused},
		{"local NAT64, 48 bits", "http://[64:ff9b:1:7f00:0:4200::]:PORT/", "", refused},
		{"local NAT64, 56 bits", "http://[64:ff9b:1:7f:0:42::]:PORT/", "", refused},
		{"local NAT64, 64 bits", "http://[64:ff9b:1:0:7f:0:4200:0]:PORT/", "", refused},
		{"ISATAP in 6to4", "http://[2002:c000:201::5efe:7f00:42]:PORT/", "", refused},
		{"link-local with a zone", "http://[fe80::1%25lo]:PORT/", "", refused},
		{"full-width digits", "http://１２７.０.０.６６:PORT/", "", refused},
		{"ideographic full stops", "http://127。0。0。66:PORT/", "", refused},
		{"percent-encoded", "http://127.0.0.%36%36:PORT/", "", refused},
		{"one number", "http://2130706498:PORT/", "", noName},
		{"hexadecimal", "http://0x7f.0.0.66:PORT/", "", refused},
		{"octal", "http://0177.0.0.102:PORT/", "", noName},
		{"short", "http://127.66:PORT/", "", noName},
		{"leading zero", "http://127.0.0.066:PORT/", "", noName},
		{"a name", "http://denied.test:PORT/", "", refused},
		{"a name in capitals, with its dot", "http://DENIED.test.:PORT/", "", refused},
		{"an internationalised name", "http://bücher.test:PORT/", "", refused},
		{"a name with a mapped address", "http://mapped.test:PORT/", "", refused},
		{"a name with the IPv6 loopback", "http://six.test:PORT/", "", refused},
		{"a name with 0.0.0.0", "http://zero.test:PORT/", "", refused},
		{"a name by the module's own resolver", "http://denied.test:PORT/", "asks", refused},
		{"every address of a name, one of them allowed", "http://both.test:PORT/", "all", "tcp.refused peer"},
		{"again and again", "http://denied.test:PORT/", "retry", refused},
		{"cloud metadata", "http://169.254.169.254/latest/meta-data/", "", refused},
		{"cloud metadata by a name", "http://meta.test/", "", refused},
		{"AWS over IPv6", "http://[fd00:ec2::254]/", "", refused},
		{"Scaleway over IPv6", "http://[fd00:42::42]/", "", refused},
		{"Alibaba", "http://100.100.100.200/", "", refused},
		{"through a proxy, by its address", "https://127.0.0.66:PORT/", "proxy", refused},
		{"through a proxy, by its name", "http://denied.test:PORT/", "proxy", refused},
		{"through a proxy, unresolved, by its address", "http://127.0.0.66:PORT/", "unresolved", refused},
		{"a configured target's host by its URL", "http://127.0.0.66:PORT/", "retry", refused},
		{"redirect 301", to(301, "http://127.0.0.66:PORT/"), "", failed},
		{"redirect 302", to(302, "http://127.0.0.66:PORT/"), "", failed},
		{"redirect 303", to(303, "http://127.0.0.66:PORT/"), "", failed},
		{"redirect 307", to(307, "http://127.0.0.66:PORT/"), "", failed},
		{"redirect 308", to(308, "http://127.0.0.66:PORT/"), "", failed},
		{"redirect to a name", to(302, "http://denied.test:PORT/"), "", failed},
		{"redirect without a scheme", to(302, "//127.0.0.66:PORT/"), "", failed},
		{"redirect to https", to(302, "https://127.0.0.66:PORT/"), "", failed},
		{"redirect to a mapped address", to(302, "http://[::ffff:7f00:42]:PORT/"), "", failed},
		{"redirect by a redirect", to(302, to(302, "http://127.0.0.66:PORT/")), "", failed},
		{"redirect again and again", to(302, "http://127.0.0.66:PORT/"), "retry", failed},
		{"redirect through a proxy", to(302, "http://127.0.0.66:PORT/"), "proxy", failed},
		{"redirect of a configured target", "leads", "", failed},
		{"redirect of a configured target with another module", "leads", "retry", failed},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := probePolicy(t, server.URL, strings.ReplaceAll(row.target, "PORT", f.port), row.module)
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if n := f.taken.Swap(0); n != 0 {
				t.Errorf("%d connections reached the forbidden server", n)
			}
		})
	}
	// What the operator has named is not denied.
	if got := probePolicy(t, server.URL, "own", ""); !strings.HasPrefix(got, "tcp.") || f.taken.Swap(0) == 0 {
		t.Errorf("the configured target with a denied address: %q, want a reset or a close of its own", got)
	}
}

// probePolicy says what came of a probe: the status if it is not 200, or the reason and origin of the failure.
func probePolicy(t *testing.T, exporter, target, module string) string {
	t.Helper()
	query := url.Values{"target": {target}}
	if module != "" {
		query.Set("module", module)
	}
	got := ask(t, http.MethodGet, exporter+"/probe?"+query.Encode(), nil)
	if got.Status != http.StatusOK {
		return fmt.Sprint(got.Status)
	}
	for line := range strings.Lines(got.Body) {
		if labels, found := strings.CutPrefix(line, "probe_failure_info{"); found {
			var phase, reason, errno, origin string
			if _, err := fmt.Sscanf(strings.ReplaceAll(labels, ",", " "), "errno=%q origin=%q phase=%q reason=%q",
				&errno, &origin, &phase, &reason); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			return reason + " " + origin
		}
	}
	return "success"
}

// Where only configured targets are allowed there is no way to name another one.
func TestPolicyConfiguredOnly(t *testing.T) {
	address := api(t).URL
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c := &config.Config{Policy: config.Policy{MaxConcurrent: 10, ConfiguredOnly: true},
		Modules: map[string]*module.Module{
			"http_2xx": module.New("http_2xx"), "other": module.New("other"),
		}}
	c.Targets = []*config.Target{{Name: "api", URL: u, ShownURL: u.String(), Module: c.Modules["http_2xx"]}}
	server := serveConfig(t, c, slog.New(slog.DiscardHandler))
	for _, row := range []struct{ name, query, want string }{
		{"its name", "target=api", "200"},
		{"its name and module", "target=api&module=http_2xx", "200"},
		{"another module", "target=api&module=other", "403"},
		{"a hostname", "target=api&hostname=a.test", "403"},
		{"its URL", "target=" + url.QueryEscape(address), "403"},
		{"another name", "target=api.", "403"},
		{"none", "target=", "403"},
	} {
		got := ask(t, http.MethodGet, server.URL+"/probe?"+row.query, nil)
		if fmt.Sprint(got.Status) != row.want {
			t.Errorf("%s: /probe?%s: %d, want %s", row.name, row.query, got.Status, row.want)
		}
		if got.Status != http.StatusOK && got.Body != errConfiguredOnly.Error()+"\n" {
			t.Errorf("%s: /probe?%s: %q", row.name, row.query, got.Body)
		}
	}
}
