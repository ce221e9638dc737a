package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkLoad loads 1,000 targets, as at the start; BenchmarkReload loads them again.
func BenchmarkLoad(b *testing.B) {
	path := manyTargets(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(path); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReload(b *testing.B) {
	path := manyTargets(b)
	c, err := Load(path)
	if err != nil {
		b.Fatal(err)
	}
	current := NewCurrent(c)
	b.ReportAllocs()
	for b.Loop() {
		if err := current.Reload(path); err != nil {
			b.Fatal(err)
		}
	}
}

func manyTargets(b *testing.B) string {
	b.Helper()
	var text strings.Builder
	text.WriteString("modules:\n  api:\n    prober: http\n    timeout: 5s\ntargets:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  - name: api-%d\n    url: https://api-%d.example.com/v1/health\n    module: api\n"+
			"    labels: {team: team-%d}\n", i, i, i%9)
	}
	path := filepath.Join(b.TempDir(), "exporter.yml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkUnknownKeys reports 4,000 unknown keys: as many of each module as are reported.
func BenchmarkUnknownKeys(b *testing.B) {
	var text strings.Builder
	text.WriteString("modules:\n")
	for i := range 4000 {
		if i%maxProblems == 0 {
			fmt.Fprintf(&text, "  api%d:\n    prober: http\n    http:\n", i)
		}
		fmt.Fprintf(&text, "      valid_status_kode%d: [200]\n", i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse([]byte(text.String()), "exporter.yml", "."); err == nil {
			b.Fatal("loaded")
		}
	}
}
