package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"errno_exporter/internal/escape"
)

// discovered is one target group of Prometheus's HTTP service discovery.
type discovered struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discover answers /sd: the configured targets, each to be scraped by a /probe of its own. The address is the
// exporter's, as the client reached it, or by --web.external-url.
func (e *Endpoints) discover(w http.ResponseWriter, r *http.Request) {
	address, scheme := r.Host, "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if e.ExternalURL != nil {
		address, scheme = e.ExternalURL.Host, e.ExternalURL.Scheme
	}
	groups, c := []discovered{}, e.Probe.Config.Get()
	for _, t := range c.Targets {
		labels := map[string]string{
			"__scheme__": scheme, "__metrics_path__": e.path("/probe"), "__param_target": t.Name,
			"__param_module": t.Module.Name,
			"instance":       t.Name,
		}
		if c.Shard.Divides() { // Prometheus shows these on its page of service discovery, and drops them
			labels["__meta_errno_exporter_shard"] = c.Shard.String()
			labels["__meta_errno_exporter_other_targets"] = strconv.Itoa(len(c.OtherTargets))
		}
		for _, l := range t.Labels {
			labels[l.Name] = l.Value
		}
		groups = append(groups, discovered{[]string{address}, labels})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(escape.NewWriter(w)).Encode(groups) // fails only if the client is gone
}

// path is where an endpoint is for who comes from outside.
func (e *Endpoints) path(endpoint string) string {
	prefix := e.RoutePrefix
	if e.ExternalURL != nil {
		prefix = e.ExternalURL.Path
	}
	joined, err := url.JoinPath("/", prefix, endpoint)
	if err != nil {
		return endpoint // paths of ours always join
	}
	return joined
}
