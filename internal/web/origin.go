package web

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Which requests of browsers are answered.
//
//   - A request that changes something, by its method, is refused when a browser says that another site made it
//     (net/http's CrossOriginProtection: Sec-Fetch-Site, or Origin beside Host). Programs send neither and are not
//     browsers.
//   - So is a request for a probe that a page of another site makes without going there, as for a picture: the probe
//     would have the module's credentials, and the page chooses where they go. A link, as Prometheus' list of targets
//     has, is followed. Browsers send Sec-Fetch-* over TLS and to loopback alone (W3C Fetch Metadata).
//   - Where Host names are given, a request with another one is refused: a name that a stranger's DNS makes lead here
//     (DNS rebinding) is how a page of his reads what only this origin may. /-/healthy and /-/ready answer under any
//     name: an orchestrator uses the address, and they reveal nothing.

// sameOrigin refuses requests that another site had a browser make. The external URL's origin is one of ours.
func sameOrigin(next http.Handler, external *url.URL) http.Handler {
	protection := http.NewCrossOriginProtection()
	if external != nil {
		// fails on what is no origin, and this is one
		_ = protection.AddTrustedOrigin(external.Scheme + "://" + external.Host)
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, "another site's page made this request: it may not change anything here", http.StatusForbidden)
	}))
	return protection.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.URL.Path == "/probe" || r.URL.Path == "/metrics") && embedded(r.Header) {
			refuse(w, "another site's page made this request: it may not have anything probed", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// embedded reports whether a browser says that another site's page wants this as a part of it.
func embedded(header http.Header) bool {
	site := header.Get("Sec-Fetch-Site")
	return (site == "cross-site" || site == "same-site") &&
		(header.Get("Sec-Fetch-Mode") != "navigate" || header.Get("Sec-Fetch-Dest") != "document")
}

// CheckHosts checks the names that are allowed as Host.
func CheckHosts(hosts []string) error {
	for _, host := range hosts {
		if host == "" || strings.ContainsAny(host, "/ @*") ||
			hostOnly(host) != strings.Trim(strings.ToLower(host), "[].") {
			return fmt.Errorf("--web.allowed-hosts %q is not a host, want names or addresses without ports, such as "+
				"probe.example.com,10.0.0.7", host)
		}
	}
	return nil
}

// knownHost refuses requests with a Host that is not among those that are allowed; none allows all.
func knownHost(next http.Handler, allowed []string) http.Handler {
	if len(allowed) == 0 {
		return next
	}
	known := make([]string, len(allowed))
	for i, host := range allowed {
		known[i] = hostOnly(host)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/-/healthy" && r.URL.Path != "/-/ready" && !slices.Contains(known, hostOnly(r.Host)) {
			refuse(w, "the Host of this request is not among --web.allowed-hosts", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOnly is a Host without its port, brackets, the dot at its end, and capitals.
func hostOnly(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
