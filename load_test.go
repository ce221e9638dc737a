package main

import (
	"os"
	"path/filepath"
	"testing"

	"errno_exporter/config"
)

// Without --config.enable-auto-reload the configuration is loaded again for a file of targets that changes, and for a
// file that a module waits for; a change of the configuration itself waits for a signal.
func TestChangedWithoutAutoReload(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const modules = "modules: {http_2xx: {prober: http}, post: {prober: http, http: {body_file: body}}}\n"
	path := filepath.Join(dir, "exporter.yml")
	write("exporter.yml", modules+"target_files: ['*.json']\n")
	loaded, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &reload{options: &options{configFile: path, configGiven: true}, current: config.NewCurrent(loaded)}
	for _, row := range []struct {
		name, file, text string
		want             bool
	}{
		{"nothing that is named", "other", "", false},
		{"the configuration", "exporter.yml", modules + "target_files: ['*.json'] # changed\n", false},
		{"a file of targets", "a.json", `[{"targets": ["http://a/"]}]`, true},
		{"the file that a module waits for", "body", "x", true},
		{"that file, when it is there", "body", "y", false},
	} {
		write(row.file, row.text)
		if got := r.changed(); got != row.want {
			t.Errorf("%s: changed %t, want %t", row.name, got, row.want)
		}
		if err := r.current.Reload(path); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
