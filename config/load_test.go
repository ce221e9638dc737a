package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBadFiles: each file's first line is the error it must give.
func TestBadFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil || len(paths) < 45 {
		t.Fatalf("found %d bad files, err %v", len(paths), err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(content), "\n")
		want := strings.TrimPrefix(first, "# error: ")
		c, err := Load(path)
		if err == nil {
			t.Errorf("Load(%s) = %+v, want the error %q", path, c, want)
			continue
		}
		if got := err.Error(); got != want {
			t.Errorf("Load(%s):\n got %s\nwant %s", path, got, want)
		}
	}
}

func TestEveryErrorIsReported(t *testing.T) {
	const text = "modules:\n  a:\n    prober: http\n    timeout: 5\n    http:\n      methd: GET\n  b:\n    prober: " +
		"dnss\n"
	const want = `f.yml:4: module "a": timeout "5": missing unit, want a duration such as "5s"` + "\n" +
		`f.yml:6: module "a": unknown key "methd" in http; did you mean "method"?` + "\n" +
		`f.yml:8: module "b": prober "dnss": is unknown, want http, or one of those that are skipped: tcp, icmp, ` +
		`dns, grpc, unix, websocket`
	if _, err := Parse([]byte(text), "f.yml", "."); err == nil || err.Error() != want {
		t.Errorf("Parse:\n got %v\nwant %s", err, want)
	}
}

// TestErrorsAreBounded: after 100 wrong targets one line says that there may be more.
func TestErrorsAreBounded(t *testing.T) {
	text := "modules: {http_2xx: {prober: http}}\ntargets:\n" + strings.Repeat("- {name: a, url: http://a}\n", 2000)
	_, err := Parse([]byte(text), "f.yml", ".")
	lines := strings.Split(errorText(err), "\n")
	const last = "f.yml:103: the rest of targets is not read after 100 errors"
	if len(lines) != maxProblems+1 || lines[maxProblems] != last {
		t.Errorf("%d lines, the last %q, want %d and %q", len(lines), lines[len(lines)-1], maxProblems+1, last)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(paths, "../exporter.yml", "testdata/blackbox.yml") {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	placed := regexp.MustCompile(`^f\.yml:\d+: `)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data, "f.yml", t.TempDir())
		if (c == nil) == (err == nil) {
			t.Errorf("Parse(%q) = %v, %v: want one of the two", data, c, err)
		}
		if err == nil && len(c.Modules) == 0 {
			t.Errorf("Parse(%q) gave no module and no error", data)
		}
		for line := range strings.Lines(errorText(err)) {
			if !placed.MatchString(line) {
				t.Errorf("Parse(%q) gave the line %q, want each to begin with file:line", data, line)
			}
		}
	})
}
