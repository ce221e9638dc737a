package cli

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"errno_exporter/config"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// resolve finds the target and the module.
func (o *Options) resolve(t *Terminal) (prober.Target, *module.Module, error) {
	name, target := o.Module, prober.Target{}
	if configured := t.Config.Find(o.Target); configured != nil {
		target.URL = configured.URL
		name = cmp.Or(name, configured.Module.Name)
	} else {
		var err error
		if target, err = prober.ParseTarget(o.Target); err != nil {
			return target, nil, err
		}
		if meant := t.Config.DidYouMean(o.Target); meant != "" && !strings.ContainsAny(o.Target, ".:/") {
			fmt.Fprintln(t.Messages, wrap(fmt.Sprintf("errno_exporter: no target is named %s (did you mean %s?), probing "+
				"the host %s", o.Target, meant, target.URL.Hostname()), width(os.Stderr)))
		}
	}
	name = cmp.Or(name, config.DefaultModule)
	m := t.Config.Modules[name]
	if m == nil && name == config.DefaultModule {
		m = module.New(name) // a file need not define it
	}
	if m == nil {
		hint := ""
		if meant := t.Config.ModuleLike(name); meant != "" {
			hint = fmt.Sprintf("; did you mean %q?", meant)
		}
		return target, nil, fmt.Errorf("module %q is not in %s%s", name, t.ConfigFile, hint)
	}
	m, err := o.Overrides.Apply(m)
	if err != nil {
		return target, nil, err
	}
	if user := o.Overrides.Connection.User; user != "" {
		target.URL = withUser(target.URL, user)
	}
	target, err = o.locate(target, m)
	return target, m, err
}

// withUser is a URL with "user:password".
func withUser(u *url.URL, credentials string) *url.URL {
	user, password, _ := strings.Cut(credentials, ":")
	with := *u
	with.User = url.UserPassword(user, password)
	return &with
}

// locate replaces the target's host by the address that --resolve has for it. The request and TLS name the host as
// before: it is /probe's parameter hostname.
func (o *Options) locate(target prober.Target, m *module.Module) (prober.Target, error) {
	origin := module.OriginOf(target.URL)
	for _, text := range o.Resolve {
		host, port, addr, err := parseLocation(text)
		if err != nil {
			return target, fmt.Errorf("--resolve %q: %w", text, err)
		}
		if !strings.EqualFold(host, origin.Host) || port != origin.Port {
			continue
		}
		if m.Proxy != nil {
			return target, fmt.Errorf("--resolve %q has no effect with a proxy, which resolves the name: remove one", text)
		}
		at := *target.URL
		target.Host = cmp.Or(m.Host, at.Host)
		at.Host = net.JoinHostPort(addr.String(), port)
		target.URL = &at
		return target, nil
	}
	if len(o.Resolve) > 0 {
		return target, fmt.Errorf("--resolve: none is for %s:%s, the host and port of the target", origin.Host, origin.Port)
	}
	return target, nil
}

// parseLocation reads HOST:PORT:ADDRESS, as curl has it, where an IPv6 address may be in brackets.
func parseLocation(text string) (host, port string, addr netip.Addr, err error) {
	host, rest, _ := strings.Cut(text, ":")
	port, literal, found := strings.Cut(rest, ":")
	if addr, err = netip.ParseAddr(strings.Trim(literal, "[]")); err != nil || !found || host == "" || port == "" {
		err = fmt.Errorf("want HOST:PORT:ADDRESS, such as api.example.com:443:192.0.2.7")
	}
	return host, port, addr, err
}
