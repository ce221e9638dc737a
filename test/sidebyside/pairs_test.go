package sidebyside

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// pair is a module and a server, and what may differ between the two exporters, by series, with the reason.
type pair struct {
	name    string
	keys    string // under http:, in flow style; CA stands for the file with the lab's authority
	serve   func(*lab) string
	path    string // after the server's URL, without its first slash
	query   string // of /probe, beyond target and module
	differs map[string]string
	stays   string // a header that ours does not send to the host of a redirect
}

// lab is the servers of one pair.
type lab struct {
	*testing.T
	requests *requests
}

func (l *lab) plain(h http.HandlerFunc) string { return faultlab.Handler(l.T, l.requests.noted(h)) }
func (l *lab) secure(h http.HandlerFunc, protocols ...string) string {
	return faultlab.TLSHandler(l.T, l.requests.noted(h), protocols...)
}

// answering serves a status, headers (name, value, …) and a body.
func answering(status int, body string, header ...string) func(*lab) string {
	return func(l *lab) string { return l.plain(respond(status, body, header...)) }
}

func respond(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Add(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func fault(f func(faultlab.Host) string) func(*lab) string {
	return func(l *lab) string { return f(l.T) }
}

func encoded(encoding string) func(*lab) string {
	return func(l *lab) string { return faultlab.Compressed(l.T, encoding, []byte("a body that says hello")) }
}

// redirecting leads from / to a path on the same server, with a status.
func redirecting(status int, to string) func(*lab) string {
	return func(l *lab) string {
		return l.plain(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes", Path: "/"})
				w.Header().Set("Location", to)
				w.WriteHeader(status)
				return
			}
			_, _ = io.WriteString(w, "arrived")
		})
	}
}

const roots = "tls_config: {ca_file: CA}"

// Reasons for what differs, as the README has them.
const (
	brokenBody = "a body that breaks off is not charged to a regexp"
	proxyTLS   = "TLS with a proxy is not TLS with the target"
	longHead   = "a response head has at most 1,000 fields"
	noRedirect = "a redirect that cannot be followed keeps its status"
	emptyBody  = "an empty body is not compressed, whatever the algorithm; a 204 and HEAD have none to compress"
)

func pairs() []pair {
	found, page := answering(200, "hello"), respond(200, "hello")
	over := func(protocols ...string) func(*lab) string {
		return func(l *lab) string { return l.secure(page, protocols...) }
	}
	ofProxy := map[string]string{"probe_http_ssl": proxyTLS, "probe_ssl_earliest_cert_expiry": proxyTLS,
		"probe_ssl_last_chain_expiry_timestamp_seconds": proxyTLS, "probe_ssl_last_chain_info": proxyTLS,
		"probe_tls_version_info": proxyTLS}
	modified := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Format(http.TimeFormat)
	return []pair{
		{name: "healthy", serve: found},
		{name: "path, query and escapes", serve: found, path: "a%20b/c?d=e%2Ff&g"},
		{name: "404", serve: answering(404, "")},
		{name: "404 wanted", keys: "valid_status_codes: [404]", serve: answering(404, "")},
		{name: "200 not wanted", keys: "valid_status_codes: [404]", serve: found},
		{name: "500", serve: answering(500, "oh")},
		{name: "503 with Retry-After", serve: answering(503, "", "Retry-After", "5")},
		{name: "204", serve: answering(204, "")},
		{name: "Last-Modified", serve: answering(200, "x", "Last-Modified", modified)},
		{name: "Last-Modified that is no date", serve: answering(200, "x", "Last-Modified", "yesterday")},
		{name: "long body, chunked", serve: answering(200, strings.Repeat("x", 100_000))},
		{name: "HEAD", keys: "method: HEAD", serve: answering(200, "", "Content-Length", "5")},
		{name: "POST", keys: `method: POST, body: '{"a":1}', headers: {Content-Type: application/json}`, serve: found},
		{name: "POST without a body", keys: "method: POST", serve: found},
		{name: "PUT", keys: "method: PUT, body: x", serve: found},
		{name: "headers", keys: "headers: {X-A: b, Accept: text/html}", serve: found},
		{name: "another protocol asked for", keys: "headers: {connection: Upgrade, Upgrade: websocket}", serve: found},
		{name: "User-Agent of the module", keys: "headers: {User-Agent: mine}", serve: found},
		{name: "Host of the module", keys: "headers: {Host: vhost.example}", serve: found},
		{name: "hostname of the client", serve: found, query: "hostname=vhost.example"},
		{name: "basic_auth", keys: "basic_auth: {username: u, password: p}", serve: found},
		{name: "bearer_token", keys: "bearer_token: t", serve: found},
		{name: "authorization", keys: "authorization: {type: Token, credentials: t}", serve: found},
		{name: "body matches what it must not", keys: "fail_if_body_matches_regexp: [hell]", serve: found},
		{name: "body does not match what it must not", keys: "fail_if_body_matches_regexp: [heaven]", serve: found},
		{name: "body matches what it must", keys: "fail_if_body_not_matches_regexp: [hell, o$]", serve: found},
		{name: "body does not match all it must", keys: "fail_if_body_not_matches_regexp: [hell, heaven]",
			serve: found},
		{name: "header matches what it must not", keys: "fail_if_header_matches: [{header: X-A, regexp: b}]",
			serve: answering(200, "", "X-A", "abc")},
		{name: "header matches what it must", keys: "fail_if_header_not_matches: [{header: X-A, regexp: b}]",
			serve: answering(200, "", "X-A", "abc")},
		{name: "header is missing", keys: "fail_if_header_not_matches: [{header: X-A, regexp: b}]", serve: found},
		{name: "header may be missing", keys: "fail_if_header_not_matches: [{header: X-A, regexp: b, allow_missing: " +
			"true}]", serve: found},
		{name: "gzip", keys: "compression: gzip, fail_if_body_not_matches_regexp: [hello]", serve: encoded("gzip")},
		{name: "br", keys: "compression: br, headers: {Accept-Encoding: br}", serve: encoded("br")},
		{name: "deflate", keys: "compression: deflate", serve: encoded("deflate")},
		{name: "gzip, and the body is empty", keys: "compression: gzip", serve: answering(200, "")},
		{name: "deflate, and the body is empty", keys: "compression: deflate", serve: answering(200, "")},
		{name: "br, and the body is empty", keys: "compression: br, headers: {Accept-Encoding: br}",
			serve: answering(200, ""), differs: map[string]string{"probe_success": emptyBody}},
		{name: "gzip, and the body is in clear", keys: "compression: gzip", serve: found},
		{name: "gzip, and the status is refused", keys: "compression: gzip", serve: answering(503, "")},
		{name: "gzip of a 204", keys: "compression: gzip", serve: answering(204, ""),
			differs: map[string]string{"probe_success": emptyBody}},
		{name: "gzip of HEAD", keys: "compression: gzip, method: HEAD", serve: found,
			differs: map[string]string{"probe_success": emptyBody}},
		{name: "compressed, not expected", serve: encoded("gzip")},
		{name: "body within its limit", keys: "body_size_limit: 5B", serve: found},
		{name: "body over its limit", keys: "body_size_limit: 4B", serve: found},
		{name: "version wanted", keys: "valid_http_versions: [HTTP/1.1]", serve: found},
		{name: "version not wanted", keys: "valid_http_versions: [HTTP/2.0]", serve: found},
		{name: "more fields than the limit", serve: func(l *lab) string { return faultlab.ManyFields(l.T, 1001) },
			differs: map[string]string{"probe_success": longHead, "probe_http_status_code": longHead,
				"probe_http_version": longHead, "probe_http_content_length": longHead}},
		{name: "HTTP/1.0", serve: fault(faultlab.HTTP10)},
		{name: "redirect", serve: redirecting(302, "/there")},
		{name: "redirects, relative and many", serve: fault(faultlab.Redirects), path: "5"},
		{name: "redirects without an end", serve: redirecting(302, "/")},
		{name: "redirect to what is no URL", serve: answering(302, "", "Location", "http://[::1"),
			differs: map[string]string{"probe_http_status_code": noRedirect, "probe_http_version": noRedirect,
				"probe_http_redirects": noRedirect}},
		{name: "redirect to another scheme", serve: answering(302, "", "Location", "ftp://127.0.0.1/"),
			differs: map[string]string{"probe_http_status_code": noRedirect, "probe_http_version": noRedirect}},
		{name: "redirect not followed", keys: "follow_redirects: false, valid_status_codes: [301]",
			serve: redirecting(301, "/there")},
		{name: "redirect not followed, by the old key", keys: "no_follow_redirects: true, valid_status_codes: [302]",
			serve: redirecting(302, "/there")},
		{name: "redirect not followed, body judged",
			keys:  "follow_redirects: false, valid_status_codes: [302], fail_if_body_matches_regexp: [x]",
			serve: redirecting(302, "/there")},
		{name: "redirect of a POST", keys: "method: POST, body: x", serve: redirecting(303, "/there")},
		{name: "redirect that keeps the POST", keys: "method: POST, body: x", serve: redirecting(307, "/there")},
		{name: "redirect to another host with credentials", stays: "Authorization",
			keys: "basic_auth: {username: u, password: p}", serve: func(l *lab) string {
				there := faultlab.HandlerOn(l.T, "127.0.0.2:0", l.requests.noted(page))
				return l.plain(func(w http.ResponseWriter,
					r *http.Request) {
					http.Redirect(w, r, there, http.StatusFound)
				})
			}},
		{name: "HTTPS", keys: roots, serve: over("http/1.1")},
		{name: "HTTPS, HTTP/2", keys: roots, serve: over("h2", "http/1.1")},
		{name: "HTTPS, HTTP/2 switched off", keys: roots + ", enable_http2: false", serve: over("h2", "http/1.1")},
		{name: "HTTPS, TLS 1.2 at most", keys: "tls_config: {ca_file: CA, max_version: TLS12}",
			serve: over("http/1.1")},
		{name: "HTTPS, a name of the module's", keys: "tls_config: {ca_file: CA, server_name: www.lab.test}",
			serve: over("http/1.1")},
		{name: "HTTPS, Host is the name", keys: roots + ", headers: {Host: www.lab.test}", serve: over("http/1.1")},
		{name: "HTTPS, hostname is the name", keys: roots, serve: over("http/1.1"), query: "hostname=www.lab.test"},
		{name: "HTTPS not wanted", keys: roots + ", fail_if_ssl: true", serve: over("http/1.1")},
		{name: "HTTPS wanted", keys: roots + ", fail_if_not_ssl: true", serve: over("http/1.1")},
		{name: "HTTPS wanted, plain", keys: "fail_if_not_ssl: true", serve: found},
		{name: "HTTPS, not verified", keys: "tls_config: {insecure_skip_verify: true}",
			serve: fault(faultlab.ExpiredCertificate)},
		{name: "HTTPS, expired", keys: roots, serve: fault(faultlab.ExpiredCertificate)},
		{name: "HTTPS, unknown authority", keys: roots, serve: fault(faultlab.CertificateUnknownCA)},
		{name: "HTTPS, other name", keys: roots, serve: fault(faultlab.CertificateWrongHost)},
		{name: "HTTPS, client certificate refused, TLS 1.2", keys: roots,
			serve: fault(faultlab.ClientCertificateRequired12)},
		{name: "HTTPS, client certificate refused, TLS 1.3", keys: roots,
			serve: fault(faultlab.ClientCertificateRequired13)},
		{name: "HTTPS, reset after the request", keys: roots, serve: fault(faultlab.TLSResetAfterRequest)},
		{name: "HTTPS from HTTP", keys: roots, serve: func(l *lab) string {
			there := l.secure(page, "http/1.1")
			return l.plain(func(w http.ResponseWriter,
				r *http.Request) {
				http.Redirect(w, r, there, http.StatusMovedPermanently)
			})
		}},
		{name: "nothing listens", serve: fault(faultlab.ClosedPort)},
		{name: "no answer", serve: fault(faultlab.Silent)},
		{name: "reset after the request", serve: fault(faultlab.ResetAfterRequest)},
		{name: "closed after the request", serve: fault(faultlab.FinAfterRequest)},
		{name: "body breaks off", serve: fault(faultlab.FinMidBody)},
		{name: "body breaks off, judged", keys: "fail_if_body_matches_regexp: [zzz]", serve: fault(faultlab.FinMidBody),
			differs: map[string]string{"probe_failed_due_to_regex": brokenBody}},
		{name: "not HTTP", serve: func(l *lab) string { return faultlab.Answer(l.T, "SSH-2.0-OpenSSH_9.6\r\n\r\n") }},
		{name: "through a proxy, HTTPS", keys: roots + ", proxy_url: PROXY", serve: over("http/1.1")},
		{name: "through a proxy, no lookup of our own", keys: roots +
			", proxy_url: PROXY, skip_resolve_phase_with_proxy: true", serve: over("http/1.1")},
		{name: "through a proxy over TLS, plain", keys: roots + ", proxy_url: TLSPROXY", serve: found,
			differs: ofProxy},
		{name: "through a proxy, plain", keys: "proxy_url: PROXY", serve: found},
		{name: "localhost", serve: func(l *lab) string {
			return strings.Replace(l.plain(page), "127.0.0.1", "localhost",
				1)
		}},
		{name: "without a scheme", serve: func(l *lab) string { return strings.TrimPrefix(l.plain(page), "http://") }},
		{name: "credentials in the URL", serve: func(l *lab) string {
			return strings.Replace(l.plain(page), "://",
				"://u:p@", 1)
		}},
		{name: "IPv6", serve: func(l *lab) string { return faultlab.HandlerOn(l.T, "[::1]:0", l.requests.noted(page)) }},
	}
}

// module is the pair's module in YAML.
func (p *pair) module(name, ca, proxy string) string {
	keys := strings.NewReplacer("CA", ca, "TLSPROXY", proxy, "PROXY", proxy).Replace(p.keys)
	if keys != "" {
		keys = ", " + keys
	}
	return fmt.Sprintf("  %s: {prober: http, timeout: 1s, http: {preferred_ip_protocol: ip4%s}}\n", name, keys)
}
