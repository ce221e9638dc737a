package web

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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

// badTarget is the error of a target that is not the URL of something to probe.
type badTarget struct {
	raw string
	err error
}

func (b *badTarget) Error() string { return b.err.Error() }

func (b *badTarget) Unwrap() error { return b.err }

// parseTarget reads a target. What is no URL is decoded once more: some clients encode targets twice, as
// blackbox_exporter accepts them.
func parseTarget(raw string) (prober.Target, error) {
	t, err := prober.ParseTarget(raw)
	if err == nil {
		return t, nil
	}
	if decoded, bad := url.PathUnescape(raw); bad == nil && decoded != raw {
		if again, bad := prober.ParseTarget(decoded); bad == nil {
			return again, nil
		}
	}
	return t, err
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

// How long a probe may take.
//
//   - The deadline is the module's timeout or what Prometheus allows less the offset, whichever is sooner: the answer
//     must be with Prometheus before it gives up.
//   - A scrape timeout that is not larger than the offset is halved instead: a probe without any time would blame the
//     target.
//   - Without either it is unboundedTimeout; longestTimeout is the most.
//   - A header of 0, of less, or of NaN allows nothing in particular, as in blackbox_exporter: it is as if there
//     was none.

// scrapeTimeoutHeader is what Prometheus sends: its scrape timeout in seconds.
const scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// unboundedTimeout is for requests by hand and a module without a timeout.
const unboundedTimeout = 120 * time.Second

// longestTimeout bounds what a client may claim: it is longer than any scrape lasts, and no stranger holds a probe for
// longer.
const longestTimeout = 2 * time.Minute

// budget returns how long a probe may take, always more than zero. header is the value of scrapeTimeoutHeader, "" where
// there was none; module is the module's timeout, 0 for none. The error is for the client.
func budget(header string, module, offset time.Duration) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(header, 64)
	if header == "" || err == nil && !(seconds > 0) { // NaN is not
		if module > 0 {
			return module, nil
		}
		return unboundedTimeout, nil
	}
	if err != nil {
		return 0, fmt.Errorf(`header %s %q is not a timeout, want seconds as a number larger than 0 such as "10"`,
			scrapeTimeoutHeader, header)
	}
	allowed := scrapeBudget(duration(seconds), offset)
	if module > 0 {
		return min(module, allowed), nil
	}
	return allowed, nil
}

// scrapeBudget is what is left of a scrape for the probe.
func scrapeBudget(scrape, offset time.Duration) time.Duration {
	if scrape > offset {
		return scrape - offset
	}
	return max(scrape/2, 1)
}

// duration converts seconds, larger than 0, to at most longestTimeout.
func duration(seconds float64) time.Duration {
	if seconds >= longestTimeout.Seconds() {
		return longestTimeout
	}
	return time.Duration(seconds * float64(time.Second))
}
