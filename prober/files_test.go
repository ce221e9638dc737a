package prober_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// A file that cannot be used fails the probes of its module with probe.config, and nothing is sent. A secret is used as
// soon as it is there.
func TestFilesThatCannotBeUsed(t *testing.T) {
	var requests atomic.Int64
	server := faultlab.Handler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	for _, row := range []struct {
		name, keys string
		arrives    bool // the file is used without a load
	}{
		{"authority", "tls_config: {ca_file: FILE}", false},
		{"certificate", "tls_config: {cert_file: FILE, key_file: FILE}", false},
		{"authority of a token endpoint", "oauth2: {client_id: c, client_secret: s, token_url: 'http://127.0.0.1:1/', " +
			"tls_config: {ca_file: FILE}}", false},
		{"body", "method: POST, body_file: FILE", false},
		{"password", "basic_auth: {username: u, password_file: FILE}", true},
		{"credentials", "authorization: {credentials_file: FILE}", true},
		{"bearer token", "bearer_token_file: FILE", true},
		{"header", "http_headers: {X-A: {files: [FILE]}}", true},
	} {
		file := filepath.Join(t.TempDir(), "file")
		text := "modules: {m: {prober: http, timeout: 20s, http: {" + strings.ReplaceAll(row.keys, "FILE", file) + "}}}"
		c, err := config.Parse([]byte(text), "f.yml", ".")
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		target, err := prober.ParseTarget(server)
		if err != nil {
			t.Fatal(err)
		}
		p := prober.New(prober.Options{})
		r := p.Probe(t.Context(), target, c.Modules["m"])
		if f := r.Failure; f == nil || f.Reason != result.ProbeConfig || f.Origin != result.Self ||
			!strings.Contains(f.Err.Error(), file) {
			t.Errorf("%s: Probe = %+v, want probe.config by self that names %s", row.name, r.Failure, file)
		}
		if n := requests.Load(); n != 0 {
			t.Errorf("%s: the server saw %d requests, want none", row.name, n)
		}
		if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := p.Probe(t.Context(), target, c.Modules["m"]); (r.Failure == nil) != row.arrives {
			t.Errorf("%s: Probe with the file there = %+v, want success %t", row.name, r.Failure, row.arrives)
		}
		requests.Store(0)
	}
}
