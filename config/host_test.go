package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// noHosts are hosts that no request can be sent to: their ASCII form is empty, or no name.
var noHosts = []string{
	"\u00ad", "\u200b", "\u2060", "\ufeff", "\u00ad\u200b\u2060", "\u3002", "\uff0e", ".", "..", "\u00ad.", ".\u200b",
	"\u034f", "\ufe0f",
	"a..example", ".example", "a.\u00ad.example", "a\u3002\u3002example", strings.Repeat("a", 64) + ".example",
	strings.Repeat("\u00e4", 62) + ".example", strings.TrimSuffix(strings.Repeat("abcdefghi.", 26), "."), "a\u2028b",
	"a\u202eb", "a\u0080b",
	"xn--\u00ad", "[fe80::1%25\u00ad]",
}

// Every place of the configuration that names a host refuses what is none, in one line.
func TestHostsThatAreNone(t *testing.T) {
	module := func(key string) string { return "modules: {http_2xx: {prober: http, http: {" + key + "}}}\n" }
	for place, text := range map[string]string{
		"target":              module("") + "targets: [{name: t, url: %s}]\n",
		"proxy":               module("proxy_url: %s"),
		"socks proxy":         module("proxy_url: %[5]s"),
		"resolver over UDP":   module("resolver: {servers: [%[2]s]}"),
		"resolver over TLS":   module("resolver: {protocol: tls, servers: [%[2]s]}"),
		"resolver over HTTPS": module("resolver: {protocol: https, servers: [%[3]s]}"),
		"token endpoint":      module("oauth2: {client_id: i, client_secret: s, token_url: %s}"),
		"Host header":         module("headers: {Host: %[4]s}"),
		"reference target":    module("") + "control_targets: [{name: c, address: %[2]s}]\n",
		"proxy of the endpoint": module("oauth2: {client_id: i, client_secret: s, token_url: 'http://a', proxy_url: " +
			"%s}"),
		"Host header with port":  module("headers: {Host: %[2]s}"),
		"token endpoint, secure": module("oauth2: {client_id: i, client_secret: s, token_url: %[3]s}"),
	} {
		for _, host := range noHosts {
			q := strconv.Quote
			file := text + "\n# " + strings.Repeat("%.0s", 5) // every argument is used
			content := fmt.Sprintf(file, q("http://"+host+":80/"), q(host+":53"), q("https://"+host+"/dns-query"),
				q(host), q("socks5://"+host+":1080"))
			content, _, _ = strings.Cut(content, "\n# ")
			_, err := Parse([]byte(content), "f.yml", ".")
			named := regexp.MustCompile(`host "|is not a Host`)
			if err == nil || !named.MatchString(err.Error()) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s with the host %q: error %v, want one line that names the host", place, host, err)
			}
		}
	}
}
