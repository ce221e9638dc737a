package endtoend

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// certificateCanary is a secret that a server knows: its name, and the key of the module that has it; none for what is
// in the URL.
type certificateCanary struct{ name, key string }

// certificateCanaries are the kinds of secrets that a server is sent, or that its operator gave.
func certificateCanaries(tokens string) []certificateCanary {
	oauth2 := "oauth2: {client_id: id, client_secret: " + canary("client-secret") + ", token_url: '" + tokens + "'}"
	return []certificateCanary{
		{"basic", "basic_auth: {username: u, password: " + canary("basic") + "}"},
		{"bearer", "bearer_token: " + canary("bearer")},
		{"credentials", "authorization: {type: Custom, credentials: " + canary("credentials") + "}"},
		{"http-header", "http_headers: {X-Site: {secrets: [" + canary("http-header") + "]}}"},
		{"plain-key", "headers: {X-Api-Key: " + canary("plain-key") + "}"},
		{"access-token", oauth2},
		{"client-secret", oauth2},
		{"user", ""},
		{"query-key", ""},
	}
}

// certificateModules are, for a secret, modules that accept the certificate, do not know its authority, and want
// another name.
func certificateModules(row certificateCanary, roots []byte) string {
	return faultlab.Module(row.name+"-accepts", 5*time.Second, roots, "keep_body: true", row.key) +
		"        insecure_skip_verify: true\n" +
		faultlab.Module(row.name+"-unknown", 5*time.Second, faultlab.RootsPEM(), row.key) +
		"        server_name: localhost\n" +
		faultlab.Module(row.name+"-trusts", 5*time.Second, roots, row.key) + "        server_name: other.test\n"
}

// A server may put what it was sent into the certificate that it shows next: into the subject, the issuer, DNS, e-mail
// and URI names, also those of types that are written in hexadecimal. No output has it, whether the certificate is
// accepted or not.
func TestSecretsInCertificatesAreNotShown(t *testing.T) {
	rows := certificateCanaries(leaky(t) + "token")
	text, targets := "modules:\n", map[string]string{}
	for _, row := range rows {
		// The server says its secret plainly, and in a text that a distinguished name has to escape.
		server, roots := faultlab.CertificateSays(t, canary(row.name)+" <"+canary(row.name)+">",
			"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
		text += certificateModules(row, roots)
		host := strings.TrimPrefix(server, "https://")
		ways := []string{"accepts", "unknown", "trusts"}
		if row.name == "access-token" {
			ways = ways[:1] // no token is fetched before the handshake
		}
		for _, way := range ways {
			targets[row.name+"-"+way] = "https://u:" + canary("user") + "@" + host + "?api_key=" + canary("query-key")
		}
	}
	d := runDaemon(t, text, "", "--log.level=debug", "--log.prober=debug", "--history.limit=5000")
	file := filepath.Join(t.TempDir(), "exporter.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(path string) string {
		status, body := d.get(t, path)
		shown(t, fmt.Sprintf("GET %s (%d)", path, status), body)
		return body
	}
	for module, target := range targets {
		for _, query := range []string{"", "debug=true&"} {
			body := ask("/probe?" + query + "module=" + module + "&target=" + url.QueryEscape(target))
			if !strings.Contains(body, "probe_ssl_last_chain_info") || !strings.Contains(body, "<hidden>") {
				t.Errorf("%s: the answer has no masked certificate:\n%s", module, body)
			}
		}
		for _, form := range []string{"text", "json", "metrics"} {
			// they fail: 2
			out, _ := exec.Command(exporter, "probe", "--config.file="+file, "-m", module, "-o", form,
				target).CombinedOutput()
			shown(t, "probe -m "+module+" -o "+form, string(out))
		}
	}
	for _, record := range regexp.MustCompile(`href="(history/\w{26})"`).FindAllStringSubmatch(ask("/history"), -1) {
		ask("/" + record[1])
		ask("/" + record[1] + "?format=text")
		ask("/" + record[1] + "?format=json")
	}
	ask("/")
	ask("/?format=json")
	d.signal(t, syscall.SIGTERM)
	if err := d.Wait(); err != nil {
		t.Error(err)
	}
	shown(t, "the log", d.out.text.String())
}

// shown fails the test where an output shows a canary, as a text or in hexadecimal.
func shown(t *testing.T, output, text string) {
	t.Helper()
	for _, leak := range leaks(text) {
		t.Errorf("%s shows %s", output, leak)
	}
	if at := strings.Index(text, fmt.Sprintf("%x", "canary-")); at >= 0 {
		t.Errorf("%s shows a canary in hexadecimal: %.200s", output, text[max(0, at-60):])
	}
}
