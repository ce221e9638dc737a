package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// canary is planted wherever a secret can be configured.
const canary = "c4n4ry"

// TestYAMLShowsNoSecret: what the document says is shown, but for its comments and secrets.
func TestYAMLShowsNoSecret(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, http, want string }{
		{"nothing", "{method: GET}", "{method: GET}"},
		{"comments", "\n      # c4n4ry\n      method: GET # c4n4ry", "\n            method: GET"},
		{"basic_auth", "{basic_auth: {username: u, password: c4n4ry}}",
			"{basic_auth: {username: u, password: <hidden>}}"},
		{"authorization", "{authorization: {credentials: c4n4ry}}", "{authorization: {credentials: <hidden>}}"},
		{"bearer_token", "{bearer_token: c4n4ry}", "{bearer_token: <hidden>}"},
		{"a password that looks like a number", "{basic_auth: {username: u, password: 12}}",
			"{basic_auth: {username: u, password: <hidden>}}"},
		{"oauth2", "{oauth2: {client_id: i, client_secret: c4n4ry, token_url: " +
			"'http://c4n4ry:c4n4ry@h/?token=c4n4ry', endpoint_params: {a: c4n4ry}}}",
			"{oauth2: {client_id: i, client_secret: <hidden>, token_url: 'http://h/?token=<hidden>', " +
				"endpoint_params: {a: <hidden>}}}"},
		{"headers", "{headers: {Authorization: c4n4ry, Cookie: c4n4ry, X-Api-Key: c4n4ry, Accept: text/html}}",
			"{headers: {Authorization: <hidden>, Cookie: <hidden>, X-Api-Key: <hidden>, Accept: text/html}}"},
		{"http_headers", "{http_headers: {X-A: {values: [a], secrets: [c4n4ry], files: [f]}, X-Token: {values: " +
			"[c4n4ry], files: [f]}}}",
			"{http_headers: {X-A: {values: [a], secrets: [<hidden>], files: [f]}, X-Token: {values: [<hidden>], " +
				"files: [f]}}}"},
		{"proxy", "{proxy_url: 'http://c4n4ry:c4n4ry@proxy:3128', proxy_connect_header: {X-A: [c4n4ry]}}",
			"{proxy_url: 'http://proxy:3128', proxy_connect_header: {X-A: [<hidden>]}}"},
		{"alias", "{bearer_token: &t c4n4ry, body: *t}", "{bearer_token: &t <hidden>, body: *t}"},
		{"alias the other way", "{body: &t c4n4ry, bearer_token: *t}", "{body: &t <hidden>, bearer_token: *t}"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := Parse([]byte("modules:\n  m:\n    prober: http\n    http: "+row.http+"\n"), "f.yml", dir)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(c.YAML()), canary) {
				t.Errorf("a secret is shown:\n%s", c.YAML())
			}
			shown := strings.NewReplacer("'<hidden>'", "<hidden>", `"`, "'").Replace(string(c.YAML()))
			want := "modules:\n    m:\n        prober: http\n        http: " + row.want + "\n"
			want = strings.ReplaceAll(want, "http: \n", "http:\n") // no space before a line's end
			if diff := cmp.Diff(want, shown); diff != "" {
				t.Errorf("YAML (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChanged: rows change a file, and say whether that counts.
func TestChanged(t *testing.T) {
	const good = "modules: {m: {prober: http, http: {basic_auth: {username: u, password_file: secret}}}}\n"
	for _, row := range []struct {
		name, file, content string
		changed             bool
		err                 bool
	}{
		{"nothing", "other", "x", false, false},
		{"the same again", "c.yml", good, false, false},
		{"the file", "c.yml", good + "# more\n", true, false},
		{"a file it names", "secret", "new", true, false},
		{"the file, for the worse", "c.yml", "modules: nonsense\n", true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "c.yml")
			write(t, path, good)
			write(t, filepath.Join(dir, "secret"), "old")
			c, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			current := NewCurrent(c)
			write(t, filepath.Join(dir, row.file), row.content)
			if got := current.Changed(path); got != row.changed {
				t.Errorf("Changed = %v, want %v", got, row.changed)
			}
			if err := current.Reload(path); (err != nil) != row.err {
				t.Errorf("Reload: %v, want an error: %v", err, row.err)
			}
			if current.Changed(path) {
				t.Error("Changed = true after a reload, want it once")
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
