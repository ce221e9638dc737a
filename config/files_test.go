package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
)

// TestWarnedFiles: each file's first line is the one warning it must give, for a file that cannot be used.
func TestWarnedFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/warned/*.yml")
	if err != nil || len(paths) < 7 {
		t.Fatalf("found %d files, err %v", len(paths), err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(content), "\n")
		want := strings.TrimPrefix(first, "# warning: ")
		c, err := Load(path)
		if err != nil {
			t.Errorf("Load(%s): %v, want a warning", path, err)
			continue
		}
		if got := strings.Join(c.Warnings, "\n"); got != want {
			t.Errorf("Load(%s):\n warned %s\n   want %s", path, got, want)
		}
	}
}

// TestArrival: a configuration with a module that waits for a file is to be loaded again when the file is there, and
// waits for nothing then. A secret is read for each probe: nothing waits for it.
func TestArrival(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "exporter.yml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("exporter.yml", "modules: {m: {prober: http, http: {tls_config: {ca_file: ca.pem}}},\n"+
		"  n: {prober: http, http: {basic_auth: {username: u, password_file: password}}}}\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	current := NewCurrent(c)
	for _, row := range []struct {
		name    string
		change  func()
		arrived bool
		broken  bool
	}{
		{"nothing is there", func() {}, false, true},
		{"the authority is there", func() { write("ca.pem", string(faultlab.RootsPEM())) }, true, true},
		{"it is loaded", func() { err = current.Reload(path) }, false, false},
		{"the password is there", func() { write("password", "p") }, false, false},
	} {
		row.change()
		arrived, broken := current.Arrived(), current.Get().Modules["m"].Broken != nil
		if err != nil || arrived != row.arrived || broken != row.broken {
			t.Errorf("%s: arrived %t, broken %t, %v, want %t, %t", row.name, arrived, broken, err, row.arrived,
				row.broken)
		}
	}
}

// Docker makes a directory where the file that a volume names is not there: that fails the module's probes, not the load.
func TestDirectoriesForFiles(t *testing.T) {
	dir := t.TempDir()
	for _, row := range []struct{ name, http, want string }{
		{"authority", "tls_config: {ca_file: .}", "is a directory"},
		{"certificate", "tls_config: {cert_file: ., key_file: .}", "is a directory"},
		{"body", "body_file: .", "is a directory"},
	} {
		c, err := Parse([]byte("modules: {m: {prober: http, http: {"+row.http+"}}}\n"), "exporter.yml", dir)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if broken := c.Modules["m"].Broken; broken == nil || !strings.Contains(broken.Error(), row.want) {
			t.Errorf("%s: Broken = %v, want … %s", row.name, broken, row.want)
		}
	}
}
