package web

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// scrapeLines are the lines of prometheus.yml that scrape this exporter, as the client of a request reaches it.
func (e *Endpoints) scrapeLines(r *http.Request) string {
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if e.ExternalURL != nil {
		scheme, host = e.ExternalURL.Scheme, e.ExternalURL.Host
	}
	var b strings.Builder
	b.WriteString("scrape_configs:\n  - job_name: apis\n    scrape_interval: 30s\n    scrape_timeout: 10s\n")
	if scheme != "http" {
		fmt.Fprintf(&b, "    scheme: %s\n", scheme)
	}
	if prefix := strings.TrimSuffix(e.RoutePrefix, "/"); prefix != "" {
		fmt.Fprintf(&b, "    metrics_path: %q\n", prefix+"/metrics")
	}
	fmt.Fprintf(&b, "    static_configs:\n      - targets: [%q]\n", cmp.Or(host, "localhost:10104"))
	return b.String()
}
