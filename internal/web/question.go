package web

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"errno_exporter/config"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// defaultModule is probed with when the client names none, as in blackbox_exporter.
const defaultModule = "http_2xx"

// listedModules bounds how many modules an error names.
const listedModules = 20

// maxHostname bounds the parameter hostname: a name (RFC 1035 section 2.3.4), a colon and a port.
const maxHostname = 253 + len(":65535")

// maxModuleName bounds the parameter module in bytes. A longer name is not echoed.
const maxModuleName = 1 << 10

// question is a request to /probe.
type question struct {
	configured *config.Target // nil for a target that is not
	target     prober.Target
	module     *module.Module
	timeout    time.Duration
	debug      bool
}

// parseQuestion reads the request. An error is the client's mistake: one line with the fix. The query is
// decoded once, a target that is no URL then once more; parameters that we do not know are ignored.
func parseQuestion(r *http.Request, c *config.Config, offset time.Duration) (question, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return question{}, fmt.Errorf("query cannot be decoded: %w, want its values percent-encoded", err)
	}
	if n := len(query["target"]); n > 1 {
		return question{}, fmt.Errorf("target is given %d times, want it once", n)
	}
	q := question{debug: query.Get("debug") == "true", timeout: unboundedTimeout}
	if q, err = q.find(query, c); err != nil {
		return q, err
	}
	if q.target.Host, err = hostname(query.Get("hostname"), q.module); err != nil {
		return question{}, err
	}
	timeout := q.module.Timeout
	if q.configured != nil {
		timeout = 0 // the in-flight probe keeps to it, and may be shared with a scrape that has less time
	}
	if q.timeout, err = budget(r.Header.Get(scrapeTimeoutHeader), timeout, offset); err != nil {
		return question{}, err
	}
	return q, nil
}

// find adds the target and the module. The name of a configured target stands for its URL and its module; with another
// module or another hostname it is a probe like any other, which does not count for the configured target.
func (q question) find(query url.Values, c *config.Config) (question, error) {
	t := c.Find(query.Get("target"))
	if t != nil && query.Get("hostname") == "" && (!query.Has("module") || query.Get("module") == t.Module.Name) {
		q.target.URL, q.module = t.URL, t.Module
		if c.Scraped(t) {
			q.configured = t
			return q, nil
		}
		q.target.Policy, q.target.Configured = &c.Policy.Networks, true // of another shard, whose counters it is not
		return q, nil
	}
	if c.Policy.ConfiguredOnly {
		q.target.URL = &url.URL{Opaque: "a target that is not configured"}
		q.module, _ = findModule(cmp.Or(query.Get("module"), defaultModule), c) // none tells less, with the same answer
		return q, errConfiguredOnly
	}
	raw, fallback := query.Get("target"), defaultModule
	var bad error
	if t != nil {
		q.target.URL, fallback = t.URL, t.Module.Name
	} else if q.target, bad = parseTarget(raw); bad != nil && strings.TrimSpace(raw) == "" {
		return q, bad
	}
	q.target.Policy, q.target.Configured = &c.Policy.Networks, t != nil
	var err error
	if q.module, err = findModule(cmp.Or(query.Get("module"), fallback), c); bad != nil {
		return q, &badTarget{raw, bad}
	}
	return q, err
}

// errConfiguredOnly refuses what is not a configured target, without telling which there are.
var errConfiguredOnly = errors.New("probe_policy allows configured targets only: want target=NAME of one, with its " +
	"own module and no hostname")

func findModule(name string, c *config.Config) (*module.Module, error) {
	if module, ok := c.Modules[name]; ok {
		return module, nil
	}
	if prober, skipped := c.Skipped[name]; skipped {
		return nil, fmt.Errorf("module %s uses prober %s, which is not served here", name, prober)
	}
	if len(name) > maxModuleName {
		return nil, unknownModule{fmt.Errorf("module is %d bytes long, want the name of a configured one", len(name))}
	}
	known := slices.Sorted(maps.Keys(c.Modules))
	if len(known) > listedModules {
		return nil, unknownModule{fmt.Errorf("module %q is unknown, want one of the %d that are configured", name,
			len(known))}
	}
	return nil, unknownModule{fmt.Errorf("module %q is unknown, want one of: %s", name, strings.Join(known, ", "))}
}

// unknownModule says that the client named a module that there is not.
type unknownModule struct{ error }

// hostname checks the hostname parameter, which takes the place of the target's name in the Host header and in TLS.
func hostname(name string, m *module.Module) (string, error) {
	switch {
	case name == "":
		return "", nil
	case len(name) > maxHostname:
		return "", fmt.Errorf("hostname is %d bytes long, want at most %d", len(name), maxHostname)
	case !httpguts.ValidHostHeader(name) || strings.ContainsAny(name, "/?#@"):
		return "", fmt.Errorf("hostname %q cannot be a Host header, want a name such as api.example.com", name)
	case module.CheckHost(name) != nil:
		return "", fmt.Errorf("hostname: %w", module.CheckHost(name))
	case m.Host != "" && !strings.EqualFold(m.Host, name):
		return "", fmt.Errorf("hostname %q conflicts with the Host header %q of module %q, leave one of them out", name,
			m.Host, m.Name)
	default:
		return name, nil
	}
}
