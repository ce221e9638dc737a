package config

import "gopkg.in/yaml.v3"

// difference is something that a module's probes do otherwise than blackbox_exporter's, for modules with one of the
// keys.
type difference struct {
	keys []string
	text string
}

// differences are those that a key makes; docs/migrating-from-blackbox.md has the ones of all modules.
var differences = []difference{
	{[]string{"proxy_url", "proxy_from_environment"}, "the tunnel through a proxy is the phase proxy (there: connect)"},
	{[]string{"check_revoked"}, "a revoked certificate fails the probe (there: probe_ssl_crl_revoked alone)"},
	{[]string{"oauth2"}, "a token is fetched once and kept until it expires (there: for each probe)"},
	{[]string{"enable_http3"}, "connect ends with the server's first datagram, and a redirect to http:// is not followed"},
	{[]string{"basic_auth", "authorization", "bearer_token", "bearer_token_file", "oauth2", "http_headers"},
		"credentials are sent to the target's scheme, host and port only (there: after redirects to others too)"},
	{[]string{"compression"}, "an empty body fails with br, too; HEAD, 204 and 304 do not fail (there: they do)"},
	{[]string{"body_file"}, "the file is read at load and sent with a Content-Length (there: read for each probe, " +
		"chunked)"},
}

// noteDifferences notes what the module's probes do otherwise than blackbox_exporter's.
func (h *httpKeys) noteDifferences() {
	for _, d := range differences {
		for _, key := range d.keys {
			if node := h.given[key]; node != nil && !isUnset(node) && h.place.notes != nil {
				h.place.notes.different = append(h.place.notes.different,
					h.place.errorAt(node, "%s: %s", key, d.text).Error())
				break
			}
		}
	}
}

// isUnset reports whether a key has the value that it has without being given.
func isUnset(node *yaml.Node) bool {
	if node.Kind != yaml.ScalarNode {
		return len(node.Content) == 0
	}
	var yes bool
	return node.Value == "" || isNull(node) || node.Decode(&yes) == nil && !yes
}
