package sidebyside

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
)

// dashboards are the ones of grafana.com that draw blackbox_exporter, with the series of http that they ask for.
//
//   - 9965 is in its revision of March 2019: a later one could not be read.
//   - 16124 is generated from blackbox-exporter-mixin, which the list is of.
//   - 12412 draws pings (probe_icmp_*), as far as its name in lists of dashboards tells: it asks for nothing of http
//     that is known here.
//   - 12653 could not be found anywhere. It is not in this list.
var dashboards = map[string][]string{
	"9965": {
		"probe_success", "probe_duration_seconds", "probe_http_status_code", "probe_http_ssl",
		"probe_ssl_earliest_cert_expiry", "probe_http_duration_seconds{phase=",
	},
	"16124": {
		"probe_success", "probe_duration_seconds", "probe_http_status_code", "probe_http_ssl", "probe_http_version",
		"probe_http_redirects", "probe_tls_version_info{version=", "probe_ssl_earliest_cert_expiry",
		"probe_dns_lookup_time_seconds", "probe_http_duration_seconds{phase=",
	},
	"7587": {
		"probe_success", "probe_duration_seconds", `probe_http_duration_seconds{phase="resolve"}`,
		`probe_http_duration_seconds{phase="connect"}`,
		`probe_http_duration_seconds{phase="tls"}`, `probe_http_duration_seconds{phase="processing"}`,
		`probe_http_duration_seconds{phase="transfer"}`,
		"probe_http_status_code", "probe_http_version", "probe_http_ssl", "probe_ssl_earliest_cert_expiry",
		"probe_dns_lookup_time_seconds",
	},
	"13659": {
		"probe_success", "probe_duration_seconds", `probe_http_duration_seconds{phase="processing"}`,
		"probe_http_status_code", "probe_http_version", "probe_http_ssl",
		"probe_ssl_earliest_cert_expiry", "probe_dns_lookup_time_seconds", "probe_http_redirects",
	},
	"16293": {
		"probe_success", "probe_http_status_code", "probe_ssl_earliest_cert_expiry", "probe_dns_lookup_time_seconds",
		`probe_http_duration_seconds{phase="resolve"}`, `probe_http_duration_seconds{phase="connect"}`,
		`probe_http_duration_seconds{phase="tls"}`, `probe_http_duration_seconds{phase="processing"}`,
		`probe_http_duration_seconds{phase="transfer"}`,
	},
	"the mixin's alerts": {"probe_success", "probe_ssl_earliest_cert_expiry"},
	"14928": {
		"probe_success", "probe_duration_seconds", `probe_http_duration_seconds{phase="processing"}`,
		"probe_http_status_code", "probe_http_version", "probe_http_ssl",
		"probe_ssl_earliest_cert_expiry", "probe_dns_lookup_time_seconds", `probe_tls_version_info{version="TLS 1.3"}`,
		"probe_ip_protocol",
	},
}

// TestDashboardsFindTheirSeries: of an HTTPS target that answers; and of one that does not, what alerts and single
// numbers ask for.
func TestDashboardsFindTheirSeries(t *testing.T) {
	dir := t.TempDir()
	ca, file := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "blackbox.yml")
	text := fmt.Sprintf("modules: {http_2xx: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4, "+
		"tls_config: {ca_file: %s}}}}\n", ca)
	for path, content := range map[string]string{ca: string(faultlab.RootsPEM()), file: text} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ours := startOurs(t, file)
	healthy := scrape(t, ours+"/probe?target="+url.QueryEscape(faultlab.TLSHandler(t, faultlab.Healthy, "http/1.1")))
	failed := scrape(t, ours+"/probe?target="+url.QueryEscape(faultlab.ClosedPort(t)))
	for id, wanted := range dashboards {
		for _, name := range wanted {
			if !healthy.have(name) {
				t.Errorf("dashboard %s asks for %s, which a probe of an HTTPS target does not have", id, name)
			}
			if strings.Contains(name, "phase=") || strings.Contains(name, "ssl_") || strings.Contains(name, "tls_") {
				continue // of a phase that began, of a certificate that was shown
			}
			if !failed.have(name) {
				t.Errorf("dashboard %s asks for %s, which a probe of a closed port does not have", id, name)
			}
		}
	}
}

// have reports whether there is a series of that name and these labels, or, where the name ends within its labels, one
// that begins so.
func (s series) have(name string) bool {
	if strings.HasSuffix(name, "{") || strings.HasSuffix(name, "=") {
		for found := range s {
			if strings.HasPrefix(found, name) {
				return true
			}
		}
		return false
	}
	_, ok := s[name]
	return ok
}
