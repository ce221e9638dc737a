//go:build unix

package config

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"errno_exporter/config/file"
)

// A file that is no regular one is refused at once where it would be read again and again. The pipe has a writer that
// never ends.
func TestNamedFilesAreRegular(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	if err := os.Symlink("pipe", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	const pipeRefused, deviceRefused = `is a named pipe, want a regular file`, `is a device, want a regular file`
	for _, row := range []struct{ name, http, want string }{
		{"password", "basic_auth: {username: a, password_file: pipe}", pipeRefused},
		{"password, by a link", "basic_auth: {username: a, password_file: link}", pipeRefused},
		{"a device", "basic_auth: {username: a, password_file: /dev/zero}", deviceRefused},
		{"credentials", "authorization: {credentials_file: pipe}", pipeRefused},
		{"bearer token", "bearer_token_file: pipe", pipeRefused},
		{"client secret", "oauth2: {client_id: a, client_secret_file: pipe, token_url: 'http://127.0.0.1/'}",
			pipeRefused},
		{"authority", "tls_config: {ca_file: pipe}", pipeRefused},
		{"certificate", "tls_config: {cert_file: pipe, key_file: pipe}", pipeRefused},
		{"body", "body_file: pipe", pipeRefused},
		{"header", "http_headers: {X-A: {files: [pipe]}}", pipeRefused},
	} {
		text := "modules: {a: {prober: http, http: {" + row.http + "}}}\n"
		if _, err := Parse([]byte(text), "exporter.yml", dir); err == nil || !strings.Contains(err.Error(), row.want) ||
			!strings.HasPrefix(err.Error(), "exporter.yml:1: ") {
			t.Errorf("%s: Parse = %v, want exporter.yml:1: … %s", row.name, err, row.want)
		}
	}
}

// The configuration itself may come from a pipe, as a shell's <(…) makes one.
func TestConfigurationFromPipe(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	if _, err := writer.WriteString("modules: {a: {prober: http}}\n"); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := file.Read("/dev/fd/" + strconv.Itoa(int(reader.Fd())))
	if err != nil || string(data) != "modules: {a: {prober: http}}\n" {
		t.Errorf("readFile = %q, %v, want what was written", data, err)
	}
}
