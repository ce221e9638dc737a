package web

import (
	"fmt"
	"hash/fnv"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// An address that the policy denies is in no answer: a client learns that a name leads to a denied network, and not
// where.
func TestPolicyHidesAddresses(t *testing.T) {
	const hidden, network = "127.0.0.66", "127.0.0.64/26"
	open, denied := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr(hidden)
	resolver := faultlab.DNS(t, map[string][]netip.Addr{"denied.test": {denied}, "both.test": {open, denied},
		"other.test": {denied, open}, "open.test": {open}})
	stale := faultlab.DNS(t, map[string][]netip.Addr{"open.test": {open, denied}})
	_, port, _ := net.SplitHostPort(strings.Trim(strings.TrimPrefix(faultlab.Handler(t, faultlab.Healthy), "http://"),
		"/"))
	redirect := faultlab.Status(t, 302, "Location", "http://denied.test:"+port+"/")
	modules := map[string]*module.Module{}
	for _, name := range []string{"http_2xx", "all", "any", "asks"} {
		m := module.New(name)
		m.PreferIPv6, m.AllAddresses, m.AnyAddress, m.Timeout = false, name == "all" || name == "any", name == "any",
			5*time.Second
		modules[name] = m
	}
	modules["asks"].Resolver = &module.Resolver{Servers: []string{resolver}, Protocol: "udp", CompareSystem: true}
	c := &config.Config{Policy: config.DefaultPolicy(), Modules: modules}
	c.Policy.DenyNetworks = []netip.Prefix{netip.MustParsePrefix(network)}
	var log strings.Builder
	server := serveOptions(t, c, slog.New(slog.NewTextHandler(&log, nil)), prober.Options{Resolver: resolver})
	comparing := serveOptions(t, c, slog.New(slog.DiscardHandler), prober.Options{Resolver: stale})
	for _, row := range []struct{ name, server, target, module, want string }{
		{"a name", server.URL, "http://denied.test:" + port, "http_2xx", "403"},
		{"every address of a name", server.URL, "http://denied.test:" + port, "all", "403"},
		{"one of two addresses, not used", server.URL, "http://both.test:" + port, "http_2xx", "success"},
		{"one of two addresses, used", server.URL, "http://other.test:" + port, "http_2xx", "403"},
		{"one of two addresses, both used", server.URL, "http://both.test:" + port, "all", "403"},
		{"one of two addresses, one is enough", server.URL, "http://both.test:" + port, "any", "success"},
		{"a redirect to a name", server.URL, redirect, "http_2xx", "local.denied self"},
		{"a name by configured servers", server.URL, "http://denied.test:" + port, "asks", "403"},
		{"an address that the system's resolver adds", comparing.URL, "http://open.test:" + port, "asks", "success"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := probePolicy(t, row.server, row.target, row.module); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			query := url.Values{"target": {row.target}, "module": {row.module}}.Encode()
			pages := []string{"/probe?" + query, "/probe?debug=true&" + query, "/", "/?format=json", "/history"}
			for n := range 40 {
				pages = append(pages, "/history/"+id(byte(n)), "/history/"+id(byte(n))+"?format=json")
			}
			for _, page := range pages {
				body := ask(t, http.MethodGet, row.server+page, nil).Body
				for _, secret := range []string{hidden, network, fmt.Sprint(addressHash(denied))} {
					if strings.Contains(body, secret) {
						t.Errorf("%s shows %s:\n%s", page, secret, body)
					}
				}
			}
		})
	}
	if !strings.Contains(log.String(), "denied_address="+hidden) {
		t.Errorf("the log does not say which address was denied:\n%s", log.String())
	}
}

// addressHash is what probe_ip_addr_hash says of an address, as it is written.
func addressHash(addr netip.Addr) string {
	hash := fnv.New32a()
	_, _ = hash.Write(addr.AsSlice()) // a hash takes everything
	return strconv.FormatFloat(float64(hash.Sum32()), 'g', -1, 64)
}
