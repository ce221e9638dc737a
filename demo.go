package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
)

// demoTargets are the servers that the demo watches, each by what it does.
var demoTargets = []struct {
	name, module, does string
	serve              func(faultlab.Host) string
}{
	{"healthy", "http_2xx", "answers", func(h faultlab.Host) string { return faultlab.TLSHandler(h, faultlab.Healthy, "h2", "http/1.1") }},
	{"reset-after-request", "http_2xx", "resets the connection instead of an answer", faultlab.ResetAfterRequest},
	{"reset-in-body", "http_2xx", "resets the connection in the middle of the body", faultlab.ResetMidBody},
	{"stalled", "http_2xx", "accepts the request and never answers", faultlab.Silent},
	{"closes-idle", "keeps", "closes connections that are idle for 2 s", func(h faultlab.Host) string { return faultlab.ClosesIdle(h, 2*time.Second) }},
	{"expired-certificate", "http_2xx", "shows a certificate that has expired", faultlab.ExpiredCertificate},
	{"rate-limited", "http_2xx", "answers 429", func(h faultlab.Host) string {
		return faultlab.Status(h, http.StatusTooManyRequests, "Retry-After", "30")
	}},
	{"flapping", "http_2xx", "answers every other request, and resets the others", flapping},
	{"one-bad-address", "every", "has three addresses, of which the second resets", func(h faultlab.Host) string {
		return "http://localhost:" + faultlab.OneBadAddress(h) + "/"
	}},
}

// flapping resets every other connection after its request.
func flapping(h faultlab.Host) string {
	var asked atomic.Int64
	return faultlab.ResetWhen(h, func() bool { return asked.Add(1)%2 == 0 })
}

// demoHost owns the demo's servers until the program ends.
type demoHost struct{ logger *slog.Logger }

func (demoHost) Helper()        {}
func (demoHost) Cleanup(func()) {} // the servers live as long as the program
func (h demoHost) Fatalf(format string, args ...any) {
	h.logger.Error("the demo could not be started", "err", fmt.Sprintf(format, args...))
	os.Exit(1)
}

// startDemo starts the demo's servers on loopback and returns the configuration that watches them.
func startDemo(logger *slog.Logger) (*config.Config, error) {
	var text strings.Builder
	text.WriteString("modules:\n" + faultlab.Module("http_2xx", 2*time.Second, faultlab.RootsPEM(), "trace: true"))
	text.WriteString(faultlab.Module("keeps", 2*time.Second, faultlab.RootsPEM(), "trace: true", "keepalive: {idle: [1s, 5s]}"))
	// The system's resolver has localhost from the hosts file: no question leaves this host.
	resolver := faultlab.DNS(demoHost{logger}, map[string][]netip.Addr{
		"localhost": {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")},
	})
	text.WriteString(faultlab.Module("every", 2*time.Second, faultlab.RootsPEM(), "trace: true", "addresses: all", "addresses_success: any",
		"retry: {attempts: 2, initial_backoff: 50ms}", fmt.Sprintf("resolver: {servers: [%q], compare_with: system}", resolver)))
	text.WriteString("targets:\n")
	for _, t := range demoTargets {
		address := t.serve(demoHost{logger})
		fmt.Fprintf(&text, "  - {name: %s, url: %q, module: %s, labels: {demo: %q}}\n", t.name, address, t.module, t.does)
	}
	return config.Parse([]byte(text.String()), "demo", ".")
}
