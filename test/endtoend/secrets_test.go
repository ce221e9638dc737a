package endtoend

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/store"
)

// canary is a secret: whatever shows it has a leak. Each place has one of its own, which tells the leak.
func canary(place string) string { return "canary-" + place + "-canary" }

// leaky is a server that answers in every way that a secret may come back by.
func leaky(t *testing.T) string {
	t.Helper()
	return faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session="+canary("set-cookie"))
		w.Header().Set("X-Auth-Token", canary("response"))
		secret := "http://user:" + canary("location-user") + "@" + r.Host + "/ok?token=" + canary("location-token") +
			"&sig=" + canary("location-sig") +
			"#access_token=" + canary("location-fragment")
		switch r.URL.Path {
		case "/redirect":
			w.Header().Set("Location", secret)
			w.WriteHeader(http.StatusFound)
		case "/ftp":
			w.Header().Set("Location", strings.Replace(secret, "http", "ftp", 1))
			w.WriteHeader(http.StatusFound)
		case "/nonsense":
			w.Header().Set("Location", "http://user:"+canary("bad-user")+"@[::1?sig="+canary("bad-sig"))
			w.WriteHeader(http.StatusFound)
		case "/fail":
			w.WriteHeader(http.StatusInternalServerError)
		case "/echo":
			echo(w, r)
		case "/reset":
			faultlab.Resetting.ServeHTTP(w, r)
		case "/token":
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"access_token": %q, "token_type": "Bearer", "expires_in": 3600}`,
				canary("access-token"))
		case "/denied":
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"error": "invalid_client", "error_description": %q}`, canary("token-error"))
		}
	}))
}

// echo returns all that it was sent, in every form and every place that an answer has, and fails.
func echo(w http.ResponseWriter, r *http.Request) {
	var sent []string
	for _, values := range r.Header {
		for _, value := range values {
			sent = append(sent, value)
			if scheme, credentials, found := strings.Cut(value, " "); found && scheme == "Basic" {
				plain, _ := base64.StdEncoding.DecodeString(credentials)
				sent = append(sent, credentials, string(plain))
			}
		}
	}
	for _, values := range r.URL.Query() {
		sent = append(sent, values...)
	}
	conn, stream, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	all := strings.Join(sent, "|")
	fmt.Fprintf(stream, "HTTP/1.1 103 Early Hints\r\nX-Early: %s\r\n\r\n", all)
	fmt.Fprintf(stream, "HTTP/1.1 500 %s\r\nX-Echo: %s\r\nX-Escaped: %s\r\nX-Path: %s\r\nX-Base64: %s\r\nX-JSON: "+
		"%q\r\n", all, all, url.QueryEscape(all), url.PathEscape(all),
		base64.StdEncoding.EncodeToString([]byte(all)), all)
	for i, value := range sent {
		fmt.Fprintf(stream, "X-Base64-%d: %s\r\nX-Upper-%d: %s\r\n", i,
			base64.URLEncoding.EncodeToString([]byte(value)), i, strings.ToUpper(value))
		if strings.HasPrefix(value, "canary") {
			fmt.Fprintf(stream, "%s: name\r\n", value)
		}
	}
	fmt.Fprintf(stream, "Proxy-Status: p; error=dns_error; details=%q\r\nLocation: /%s?q=%s#%s\r\nServer: %s\r\n", all,
		url.PathEscape(all), url.QueryEscape(all), url.PathEscape(all), all)
	fmt.Fprintf(stream, "Trailer: X-Late\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nX-Late: %s\r\n\r\n",
		len(all), all, all)
	_ = stream.Flush() // a client that has gone sees nothing
}

// secretModules are modules with a canary in each place that takes one.
func secretModules(server, dir string) (names []string, text string) {
	password := filepath.Join(dir, "password")
	_ = os.WriteFile(password, []byte(canary("password-file")), 0o600) // its absence would fail the load
	host := strings.TrimSuffix(strings.TrimPrefix(server, "http://"), "/")
	add := func(name, http string) {
		names = append(names, name)
		text += fmt.Sprintf("  %s: {prober: http, timeout: 500ms, http: {preferred_ip_protocol: ip4, keep_body: "+
			"true, secret_params: [sig, code], %s}}\n", name, http)
	}
	add("basic", "basic_auth: {username: u, password: "+canary("basic")+"}")
	add("basic_file", "basic_auth: {username: u, password_file: "+password+"}")
	add("bearer", "bearer_token: "+canary("bearer"))
	add("authorization", "authorization: {type: Custom, credentials: "+canary("credentials")+"}")
	add("authorization_file", "authorization: {credentials_file: "+password+"}")
	for _, path := range []string{"token", "denied"} {
		add("oauth2_"+path, fmt.Sprintf("oauth2: {client_id: id, client_secret: %s, token_url: %q, endpoint_params: "+
			"{resource: %s}}",
			canary("client-secret"), server+path+"?key="+canary("token-url"), canary("endpoint-param")))
	}
	add("plain", fmt.Sprintf("headers: {Authorization: Bearer %s, Cookie: id=%s, X-Api-Key: %s}",
		canary("plain-authorization"), canary("plain-cookie"), canary("plain-key")))
	add("headers", fmt.Sprintf("http_headers: {X-Site: {secrets: [%s]}, X-File: {files: [%s]}, Authorization-Extra: "+
		"{values: [%s]}}", canary("http-header"), password, canary("http-header-value")))
	add("proxied", fmt.Sprintf("proxy_url: 'http://u:%s@%s', proxy_connect_header: {X-Proxy: [%s]}", canary("proxy"),
		host, canary("proxy-header")))
	add("socks", fmt.Sprintf("proxy_url: 'socks5://u:%s@%s'", canary("socks"), host))
	return names, text
}

// secretURLs are targets with a canary in every part of the URL.
func secretURLs(server string) []string {
	var all []string
	host := strings.TrimPrefix(server, "http://")
	for _, at := range []string{"http://user:" + canary("user") + "@" + host, "https://user:" + canary("user") + "@" +
		host, "http://user:" + canary("user") + "@nosuch.invalid/"} {
		for _, path := range []string{"ok", "fail", "reset", "redirect", "ftp", "nonsense", "echo"} {
			all = append(all, at+path+"?a=1&api_key="+canary("query-key")+"&sig="+canary("query-sig")+"&co%64e="+canary("query-code"))
		}
	}
	return all
}

// leaks finds canaries, as they are, percent-encoded, or in the base64 of basic authentication.
func leaks(text string) []string {
	found := regexp.MustCompile(`(?i)canary[-a-z%0-9]*canary`).FindAllString(text, 5)
	for _, credentials := range []string{"u:" + canary("basic"), "u:" + canary("password-file"), "user:" +
		canary("user"), canary("bearer"), canary("access-token"), canary("http-header"), "u:" + canary("proxy"),
		"user:" + canary("location-user")} {
		if strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(credentials))) {
			found = append(found, credentials+" in base64")
		}
	}
	return found
}

// A canary stands in each place that takes a secret, and probes succeed and fail in many ways. No output has one.
func TestSecretsAreNotShown(t *testing.T) {
	server := leaky(t)
	names, modules := secretModules(server, t.TempDir())
	urls := secretURLs(server)
	text := "modules:\n" + modules + "targets:\n"
	for i, u := range urls {
		text += fmt.Sprintf("- {name: t%d, url: %q, module: %s}\n", i, u, names[i%len(names)])
	}
	stored := filepath.Join(t.TempDir(), "errno_exporter.db")
	d := runDaemon(t, text, "", "--log.level=debug", "--log.prober=debug", "--history.limit=5000", "--web.enable-pprof",
		"--storage.path="+stored)
	seen := map[string]string{}
	ask := func(path string) string {
		status, body := d.get(t, path)
		seen[path] = body
		for _, leak := range leaks(body) {
			t.Errorf("GET %s (%d) shows %s", path, status, leak)
		}
		return body
	}
	ask("/metrics")
	for i, u := range urls {
		for _, module := range names {
			ask("/probe?debug=true&module=" + module + "&target=" + url.QueryEscape(u))
		}
		ask(fmt.Sprintf("/probe?target=t%d", i))
	}
	for _, path := range []string{"/", "/?format=json", "/config", "/sd", "/history", "/incidents?format=json", "/debug/pprof/cmdline", "/nosuch",
		"/probe?module=basic&target=" + url.QueryEscape("ftp://user:"+canary("user")+"@a/?token="+canary("query")),
		"/probe?module=basic&target=" + url.QueryEscape("http://user:"+canary("user")+"@[::1?token="+canary("query")),
		"/probe?module=basic&target=" + url.QueryEscape("http://user:"+canary("user")+"@169.254.169.254/?token="+canary("query")),
		"/logs?target=" + url.QueryEscape("http://user:"+canary("user")+"@a/?sig="+canary("query"))} {
		ask(path)
	}
	records := regexp.MustCompile(`href="(history/\w{26})"`).FindAllStringSubmatch(seen["/history"], -1)
	if len(records) < len(urls)*len(names) {
		t.Errorf("/history lists %d records, want one of each of %d probes", len(records), len(urls)*len(names))
	}
	for _, record := range records {
		ask("/" + record[1])
		ask("/" + record[1] + "?format=text")
	}
	if !strings.Contains(ask("/probe?debug=true&module=plain&target="+url.QueryEscape(server+"ok")), "<hidden>") {
		t.Error("a record masks nothing: the canaries were not sent")
	}
	d.signal(t, syscall.SIGTERM)
	if err := d.Wait(); err != nil {
		t.Error(err)
	}
	for _, leak := range leaks(d.out.text.String()) {
		t.Errorf("the log shows %s", leak)
	}
	if !strings.Contains(d.out.text.String(), "probe failed") {
		t.Error("the log has no probes")
	}
	notStored(t, stored)
}

// notStored looks for canaries in what is stored, of which there is some.
func notStored(t *testing.T, path string) {
	t.Helper()
	s, err := store.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	incidents, err := s.Incidents(store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	records, err := s.Records(store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if len(incidents) < 5 || len(records) < 5 {
		t.Errorf("%d incidents and %d records are stored, want those of the failing targets", len(incidents), len(records))
	}
	for _, i := range incidents {
		for _, leak := range leaks(string(i.Body)) {
			t.Errorf("a stored incident has %s", leak)
		}
	}
	for _, r := range records {
		for _, leak := range leaks(string(r.Body)) {
			t.Errorf("a stored record has %s", leak)
		}
	}
}

// Nor has the command probe, in any form.
func TestSecretsAreNotPrinted(t *testing.T) {
	server := leaky(t)
	dir := t.TempDir()
	names, modules := secretModules(server, dir)
	file := filepath.Join(dir, "exporter.yml")
	if err := os.WriteFile(file, []byte("modules:\n"+modules), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, u := range secretURLs(server)[:7] {
		for _, module := range names {
			for _, form := range []string{"text", "json", "metrics"} {
				// some fail: 2
				out, _ := exec.Command(exporter, "probe", "--config.file="+file, "-m", module, "-o", form,
					u).CombinedOutput()
				if len(out) == 0 {
					t.Errorf("probe -m %s -o %s %s printed nothing", module, form, u)
				}
				for _, leak := range leaks(string(out)) {
					t.Errorf("probe -m %s -o %s shows %s", module, form, leak)
				}
			}
		}
	}
	out, _ := exec.Command(exporter, "probe", "--config.file="+file, "-m", "basic", "-n", "2", "-i", "1ms", "-H",
		"Authorization: "+canary("flag"), secretURLs(server)[1]).CombinedOutput()
	for _, leak := range leaks(string(out)) {
		t.Errorf("probe -n 2 shows %s", leak)
	}
}

// Nor have the errors of a configuration that is wrong at, beside, or because of a secret.
func TestSecretsAreNotInErrors(t *testing.T) {
	dir := t.TempDir()
	inHTTP := func(http string) string { return "modules: {m: {prober: http, http: {" + http + "}}}\n" }
	for name, text := range map[string]string{
		"an unknown key beside": inHTTP("basic_auth: {username: u, password: " + canary("password") +
			", nosuch: 1}"),
		"the wrong kind":        inHTTP("basic_auth: " + canary("password")),
		"a list for a password": inHTTP("basic_auth: {username: u, password: [" + canary("password") + "]}"),
		"two credentials": inHTTP("bearer_token: " + canary("bearer") +
			", basic_auth: {username: u, password: " + canary("password") + "}"),
		"a list for a token":             inHTTP("bearer_token: [" + canary("bearer") + "]"),
		"a header that cannot be sent":   inHTTP("headers: {Authorization: \"" + canary("header") + "\\n\"}"),
		"a header that is a list":        inHTTP("headers: {Cookie: [" + canary("header") + "]}"),
		"a secret header that is a text": inHTTP("http_headers: {X: {secrets: " + canary("header") + "}}"),
		"a proxy of another scheme":      inHTTP("proxy_url: 'gopher://u:" + canary("proxy") + "@a'"),
		"a proxy that is no URL":         inHTTP("proxy_url: 'http://u:" + canary("proxy") + "@[::1'"),
		"a proxy header that is a text": inHTTP("proxy_url: 'http://a', proxy_connect_header: {X: " + canary("proxy") +
			"}"),
		"an authorization without type": inHTTP("authorization: {type: Basic, credentials: " + canary("credentials") +
			"}"),
		"a token URL": inHTTP("oauth2: {client_id: i, client_secret: " + canary("client") +
			", token_url: 'ftp://u:" + canary("token") + "@a/?key=" + canary("token-key") + "'}"),
		"an oauth2 key": inHTTP("oauth2: {client_id: i, client_secret: " + canary("client") +
			", token_url: 'http://a', nosuch: " + canary("other") + "}"),
		"a resolver": inHTTP("resolver: {protocol: https, servers: ['https://u:" +
			canary("resolver") + "@a/?token=" + canary("resolver-token") + "']}"),
		"a target's URL": "modules: {http_2xx: {prober: http}}\ntargets: [{name: t, url: 'ftp://u:" +
			canary("user") + "@a/?token=" + canary("token") + "&sig=" + canary("sig") + "'}]\n",
		"a target's URL that is none": "modules: {http_2xx: {prober: http}}\ntargets: [{name: t, url: 'http://u:" +
			canary("user") + "@[::1/?token=" + canary("token") + "'}]\n",
		"broken YAML": inHTTP("basic_auth: {username: u, password: \"" + canary("password") + "}"),
		"a second document": inHTTP("bearer_token: "+canary("bearer")) + "---\nbearer_token: " +
			canary("bearer"),
		"a key twice": inHTTP("bearer_token: " + canary("one") + ", bearer_token: " + canary("two")),
		"a secret as a key": inHTTP("basic_auth: {username: u, password: {" + canary("password") +
			": 1}}"),
	} {
		file := filepath.Join(dir, "exporter.yml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(exporter, "check-config", "--config.file="+file).CombinedOutput()
		if err == nil {
			t.Errorf("%s: check-config says %q, want an error", name, out)
		}
		for _, leak := range leaks(string(out)) {
			t.Errorf("%s: check-config shows %s:\n%s", name, leak, out)
		}
	}
}
