package web

import (
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
)

// defaultModule is probed with when the asker names none, as in blackbox_exporter.
const defaultModule = "http_2xx"

// listedModules bounds how many modules an error names.
const listedModules = 20

// question is what a request to /probe asks for.
type question struct {
	configured *config.Target // nil for a target that is not
	target     prober.Target
	module     *config.Module
	timeout    time.Duration
	debug      bool
}

// parseQuestion reads the request. An error is the asker's mistake: one line that says what to do. The query is decoded once;
// parameters that we do not know are ignored.
func parseQuestion(r *http.Request, c *config.Config, offset time.Duration) (question, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return question{}, fmt.Errorf("query cannot be decoded: %w, want its values percent-encoded", err)
	}
	if n := len(query["target"]); n > 1 {
		return question{}, fmt.Errorf("target is given %d times, want it once", n)
	}
	if t := c.Find(query.Get("target")); t != nil {
		return parseConfigured(r, query, t, offset)
	}
	target, err := prober.ParseTarget(query.Get("target"))
	if err != nil {
		return question{}, err
	}
	module, err := findModule(query, c)
	if err != nil {
		return question{}, err
	}
	if target.Host, err = hostname(query.Get("hostname"), module); err != nil {
		return question{}, err
	}
	timeout, err := budget(r.Header.Get(scrapeTimeoutHeader), module.Timeout, offset)
	if err != nil {
		return question{}, err
	}
	return question{target: target, module: module, timeout: timeout, debug: query.Get("debug") == "true"}, nil
}

// parseConfigured reads a request for a configured target, by its name: how to probe it is configured, too.
func parseConfigured(r *http.Request, query url.Values, t *config.Target, offset time.Duration) (question, error) {
	if m := query.Get("module"); m != "" && m != t.Module.Name {
		return question{}, fmt.Errorf("module %q is not the one of the configured target %q, leave it out or want module=%s", m, t.Name, t.Module.Name)
	}
	if query.Get("hostname") != "" {
		return question{}, fmt.Errorf("hostname cannot be set for the configured target %q, want target=%s", t.Name, config.MaskURL(t.URL))
	}
	timeout, err := budget(r.Header.Get(scrapeTimeoutHeader), t.Module.Timeout, offset)
	return question{configured: t, module: t.Module, timeout: timeout, debug: query.Get("debug") == "true"}, err
}

func findModule(query url.Values, c *config.Config) (*config.Module, error) {
	name := query.Get("module")
	if name == "" {
		name = defaultModule
	}
	if module, ok := c.Modules[name]; ok {
		return module, nil
	}
	known := slices.Sorted(maps.Keys(c.Modules))
	if len(known) > listedModules {
		return nil, fmt.Errorf("module %q is unknown, want one of the %d that are configured", name, len(known))
	}
	return nil, fmt.Errorf("module %q is unknown, want one of: %s", name, strings.Join(known, ", "))
}

// hostname checks the hostname parameter, which takes the place of the target's name in the Host header and in TLS.
func hostname(name string, m *config.Module) (string, error) {
	switch {
	case name == "":
		return "", nil
	case !httpguts.ValidHostHeader(name) || strings.ContainsAny(name, "/?#@"):
		return "", fmt.Errorf("hostname %q cannot be a Host header, want a name such as api.example.com", name)
	case m.Host != "" && !strings.EqualFold(m.Host, name):
		return "", fmt.Errorf("hostname %q conflicts with the Host header %q of module %q, leave one of them out", name, m.Host, m.Name)
	default:
		return name, nil
	}
}
