package endtoend

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
)

// endpoints are all that the exporter answers.
var endpoints = []string{"/", "/?format=json", "/metrics", "/probe?target=http://127.0.0.1:1", "/sd", "/config",
	"/history", "/history/01M80KTK3S0000000000000000", "/logs?id=01M80KTK3S0000000000000000",
	"/targets/nosuch", "/incidents", "/incidents/01M80KTK3S0000000000000000", "/incidents.atom", "/api",
	"/static/style.css", "/-/healthy", "/-/ready", "/-/reload", "/debug/pprof/", "/debug/pprof/heap", "/nosuch"}

// With --web.config.file every endpoint wants TLS, a client's certificate, and a password.
func TestWebConfigGuardsEveryEndpoint(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string { return write(t, dir, name, string(content)) }
	certificate, key := faultlab.PEM(faultlab.ServerCertificate())
	// The hash is of "hunter2", by bcrypt with the cost 4.
	web := file("web.yml", fmt.Appendf(nil, "tls_server_config: {cert_file: %s, key_file: %s, client_auth_type: "+
		"RequireAndVerifyClientCert, client_ca_file: %s}\n"+
		"basic_auth_users: {oncall: $2a$04$14RRjv6z/LPgzW11qDXuYuUVolgluUiG.q/.rZaZ7R8d5CNVVQ6yS}\n",
		file("cert.pem", certificate), file("key.pem", key), file("ca.pem", faultlab.RootsPEM())))
	d := runDaemon(t, plainModule, "", "--web.config.file="+web, "--web.enable-pprof")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(faultlab.RootsPEM())
	known := &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{faultlab.ClientCertificate()}}}
	stranger := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}
	ask := func(transport *http.Transport, scheme, path, password string) string {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+"://"+d.address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			request.SetBasicAuth("oncall", password)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			return "no answer"
		}
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return err.Error()
		}
		return fmt.Sprint(response.StatusCode)
	}
	for _, path := range endpoints {
		for _, row := range []struct {
			name      string
			transport *http.Transport
			scheme    string
			password  string
			want      string
		}{
			{"without TLS", known, "http", "hunter2", "400"},
			{"without a certificate", stranger, "https", "hunter2", "no answer"},
			{"without a password", known, "https", "", "401"},
			{"with a wrong password", known, "https", "hunter3", "401"},
		} {
			if got := ask(row.transport, row.scheme, path, row.password); got != row.want {
				t.Errorf("%s %s: %s, want %s", path, row.name, got, row.want)
			}
		}
		if got := ask(known, "https", path, "hunter2"); got == "401" || len(got) != 3 {
			t.Errorf("%s with all that is wanted: %s", path, got)
		}
	}
}

// Browsers are told to make nothing else of an answer than it is, whichever it is.
func TestHeadersOfEveryEndpoint(t *testing.T) {
	d := runDaemon(t, plainModule, "", "--no-web.enable-lifecycle")
	for _, path := range endpoints {
		response, err := http.Get("http://" + d.address + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		h := response.Header
		policy := h.Get("Content-Security-Policy")
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" ||
			h.Get("Referrer-Policy") != "no-referrer" ||
			!strings.HasPrefix(policy, "default-src 'none'; ") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			strings.Contains(policy, "unsafe") {
			t.Errorf("%s: headers %v", path, h)
		}
		switch {
		case strings.HasPrefix(path, "/debug/") && response.StatusCode != http.StatusNotFound:
			t.Errorf("%s without --web.enable-pprof: %s, want 404", path, response.Status)
		case path == "/-/reload" && response.StatusCode != http.StatusForbidden:
			t.Errorf("%s with --no-web.enable-lifecycle: %s, want 403", path, response.Status)
		}
	}
}
