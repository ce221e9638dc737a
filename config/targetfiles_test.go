package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// targetDir is a directory with a configuration that reads targets/*.
func targetDir(t *testing.T) (path string, write func(name, text string)) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "targets"), 0o700); err != nil {
		t.Fatal(err)
	}
	write = func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("exporter.yml", "modules: {http_2xx: {prober: http}, post: {prober: http, http: {method: POST}}}\n"+
		"targets: [{name: own, url: 'http://own/'}]\ntarget_files: [targets/*.yml, targets/*.json]\n")
	return filepath.Join(dir, "exporter.yml"), write
}

// described are the targets of a configuration, each in a line.
func described(c *Config) []string {
	var all []string
	for _, t := range c.Targets {
		all = append(all, fmt.Sprint(t.Name, " ", t.URL, " ", t.Module.Name, " ", t.Labels, " ", t.MinInterval))
	}
	return all
}

// TestTargetFiles: both formats, and both kinds of entries.
func TestTargetFiles(t *testing.T) {
	path, write := targetDir(t)
	write("targets/a.yml", "- targets: [https://a.example/x, b.example:8080]\n  labels: {team: web, __meta_x: y, "+
		"__param_module: post}\n- targets: []\n- {name: own-keys, url: 'http://c/', module: post, min_interval: 30s}\n")
	write("targets/b.json", "[\n\t{\"targets\": [\"https://d.example/\"], \"labels\": {\"team\": \"shop\"}}\n]\n")
	write("targets/c.yml", "")
	write("targets/ignored.txt", "no targets")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"own http://own/ http_2xx [] 0s",
		"https://a.example/x https://a.example/x post [{team web}] 0s",
		"b.example:8080 http://b.example:8080 post [{team web}] 0s",
		"own-keys http://c/ post [] 30s",
		"https://d.example/ https://d.example/ http_2xx [{team shop}] 0s",
	}
	if diff := cmp.Diff(want, described(c)); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

// TestTargetFilesChange: a change of a file is noticed, and a bad file keeps what it had and says so, until it is good.
func TestTargetFilesChange(t *testing.T) {
	path, write := targetDir(t)
	write("targets/a.yml", "- {targets: [http://a/]}\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	current := NewCurrent(c)
	dir := filepath.Join(filepath.Dir(path), "targets")
	file, other := filepath.Join(dir, "a.yml"), filepath.Join(dir, "b.yml")
	for _, row := range []struct {
		name, file, text string
		changed          bool
		want             string // names of the targets
		warning          string // a part of the only one; empty: none
		failed           int    // files
	}{
		{"nothing", "targets/other.txt", "", false, "own http://a/", "", 0},
		{"another file", "targets/b.yml", "- {targets: [http://b/]}\n", true, "own http://a/ http://b/", "", 0},
		{"broken", "targets/a.yml", "- {targets: [\n", true, "own http://a/ http://b/", `1 targets of "` + file +
			`" stay as they were: ` + file + `:1: broken YAML`, 1},
		{"a reserved label", "targets/a.yml", "- {targets: [http://a/], labels: {job: x}}\n", true,
			"own http://a/ http://b/", `job "x": is taken`, 1},
		{"an unknown module", "targets/a.yml", "- {targets: [http://a/], labels: {__param_module: x}}\n", true,
			"own http://a/ http://b/", "stay as they were: " + file +
				`:1: entry 1: __param_module "x": is unknown, want one of: http_2xx, post`, 1},
		{"empty", "targets/a.yml", "# none\n", true, "own http://a/ http://b/",
			file + ":1: the file is empty, want [] for no targets", 1},
		{"no URL", "targets/a.yml", "- {targets: ['http://']}\n", true, "own http://a/ http://b/", "stay as they were",
			1},
		{"good again", "targets/a.yml", "- {targets: [http://c/]}\n", true, "own http://c/ http://b/", "", 0},
		{"a name twice", "targets/b.yml", "- {targets: [http://b/, http://c/]}\n", true, "own http://c/ http://b/",
			`b.yml" is left out: the name is taken`, 0},
		{"names twice", "targets/b.yml", "- {targets: [http://b/, http://c/, http://b/, http://b/]}\n", true,
			"own http://c/ http://b/", `target "http://c/" and 2 others of "` + other + `" are left out`, 0},
		{"each name once", "targets/b.yml", "- {targets: [http://b/]}\n", true, "own http://c/ http://b/", "", 0},
		{"a short file that aliases make long", "targets/b.yml", "- &g {targets: [" + strings.Repeat("http://b/, ", 2000) +
			"]}\n" + strings.Repeat("- *g\n", 300), true, "own http://c/ http://b/",
			"with its aliases written out this is longer than 4194304 bytes", 1},
		{"thousands of unknown keys", "targets/b.yml", "- {" + strings.Repeat("k: 1, ", 3000) + "}\n", true,
			"own http://c/ http://b/", "the rest of the target is not read after 100 errors", 1},
	} {
		write(row.file, row.text)
		if changed := current.TargetsChanged(); changed != row.changed {
			t.Errorf("%s: changed %t, want %t", row.name, changed, row.changed)
		}
		if err := current.Reload(path); err != nil {
			t.Errorf("%s: Reload: %v", row.name, err)
		}
		if current.TargetsChanged() {
			t.Errorf("%s: changed after a load", row.name)
		}
		var names []string
		for _, target := range current.Get().Targets {
			names = append(names, target.Name)
		}
		warnings := current.Get().Warnings
		if got := strings.Join(names, " "); got != row.want {
			t.Errorf("%s: targets %s, want %s", row.name, got, row.want)
		}
		if got := current.Get().TargetFilesFailed; got != row.failed {
			t.Errorf("%s: %d files failed, want %d", row.name, got, row.failed)
		}
		if row.warning == "" && len(warnings) > 0 || row.warning != "" && (len(warnings) != 1 ||
			!strings.Contains(warnings[0], row.warning)) {
			t.Errorf("%s: warned %q, want %q", row.name, warnings, row.warning)
		}
	}
}

// TestManyTargets: thousands of targets are read.
func TestManyTargets(t *testing.T) {
	const many = 5000
	path, write := targetDir(t)
	var text strings.Builder
	for i := range many {
		fmt.Fprintf(&text, "- targets: [http://host-%d.example/]\n", i)
	}
	write("targets/many.yml", text.String())
	c, err := Load(path)
	if err != nil || len(c.Targets) != many+1 {
		t.Errorf("Load: %d targets, %v, want %d", len(c.Targets), err, many+1)
	}
}
