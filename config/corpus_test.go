package config

import (
	"path/filepath"
	"testing"
)

// TestCorpus: every file in the shape that public ones have loads, and serves a module.
func TestCorpus(t *testing.T) {
	paths, err := filepath.Glob("testdata/blackbox/*.yml")
	if err != nil || len(paths) < 40 {
		t.Fatalf("found %d files, err %v, want at least 40", len(paths), err)
	}
	for _, path := range paths {
		c, err := Load(path)
		if err != nil {
			t.Errorf("Load(%s): %v", path, err)
		} else if len(c.Modules) == 0 {
			t.Errorf("Load(%s) serves no module", path)
		}
	}
}
