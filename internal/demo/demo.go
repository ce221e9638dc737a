// Package demo starts servers on loopback that misbehave, and configures the exporter to watch them: what
// `errno_exporter --demo` shows. They live as long as the program. The tests have servers of their own, in package
// faultlab.
package demo

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"errno_exporter/config"
	"errno_exporter/guard"
)

// Start starts the servers and returns the configuration that watches them. The error says which could not listen.
// panicked is called with the panics of their goroutines.
func Start(panicked guard.Report) (*config.Config, error) {
	authority, err := newAuthority()
	if err != nil {
		return nil, err
	}
	authority.panicked = panicked
	resolver, err := serveDNS(panicked, oneBadAddressIPs...)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	text.WriteString("modules:\n")
	authority.module(&text, "http_2xx")
	authority.module(&text, "keeps", "keepalive: {idle: [1s, 5s]}")
	authority.module(&text, "every", "addresses: all", "addresses_success: any",
		"retry: {attempts: 2, initial_backoff: 50ms}",
		fmt.Sprintf("resolver: {servers: [%q], compare_with: system}", resolver))
	text.WriteString("targets:\n")
	for _, t := range targets {
		url, err := t.serve(authority)
		if err != nil {
			return nil, fmt.Errorf("demo: start %s: %w", t.name, err)
		}
		fmt.Fprintf(&text, "  - {name: %s, url: %q, module: %s, labels: {demo: %q}}\n", t.name, url, t.module, t.does)
	}
	return config.Parse([]byte(text.String()), "demo", ".")
}

// closesIdleAfter is how long the target closes-idle keeps an idle connection.
const closesIdleAfter = 2 * time.Second

// targets are the servers, each by what it does.
var targets = []struct {
	name, module, does string
	serve              func(*authority) (url string, err error)
}{
	{"healthy", "http_2xx", "answers", func(a *authority) (string, error) {
		return a.serve(&http.Server{Handler: healthy, TLSConfig: a.valid()})
	}},
	{"reset-after-request", "http_2xx", "resets the connection instead of an answer", plain(resetInstead)},
	{"reset-in-body", "http_2xx", "resets the connection in the middle of the body", plain(resetInBody)},
	{"stalled", "http_2xx", "accepts the request and never answers", plain(stall)},
	{"closes-idle", "keeps", "closes connections that are idle for 2 s", func(a *authority) (string, error) {
		return a.serve(&http.Server{Handler: healthy, IdleTimeout: closesIdleAfter})
	}},
	{"expired-certificate", "http_2xx", "shows a certificate that has expired", func(a *authority) (string, error) {
		return a.serve(&http.Server{Handler: healthy, TLSConfig: a.expired()})
	}},
	{"rate-limited", "http_2xx", "answers 429", plain(rateLimit)},
	{"flapping", "http_2xx", "answers every other request, and resets the others", plain(flap())},
	{"one-bad-address", "every", "has three addresses, of which the second resets", func(a *authority) (string, error) {
		return a.serveOneBadAddress()
	}},
}

func plain(handler http.HandlerFunc) func(*authority) (string, error) {
	return func(a *authority) (string, error) { return a.serve(&http.Server{Handler: handler}) }
}
