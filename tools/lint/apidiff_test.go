package lint

import (
	"bytes"
	"compress/gzip"
	"flag"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"
)

var update = flag.Bool("update", false, "write what the packages export now")

// embedded are the packages that other programs may embed: docs/compatibility.md promises that they stay.
var embedded = []string{"errno_exporter/prober", "errno_exporter/prober/result", "errno_exporter/prober/module"}

// TestAPI compares what the packages export with what they exported at the last release, or before it when a change was
// made that is not compatible. What is new is compatible, and is written by -update at the next release.
func TestAPI(t *testing.T) {
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps, Dir: root,
	}, embedded...)
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded) != len(embedded) {
		t.Fatalf("%d packages, want %d", len(loaded), len(embedded))
	}
	for _, now := range loaded {
		for _, e := range now.Errors {
			t.Fatal(e)
		}
		file := filepath.Join("testdata", filepath.Base(now.PkgPath)+".export.gz")
		if *update {
			write(t, file, now.Types)
		}
		for _, change := range apidiff.Changes(exported(t, file, now.PkgPath), now.Types).Changes {
			if !change.Compatible {
				t.Errorf("%s: %s: a [CHANGE] of the CHANGELOG and a note in docs/compatibility.md, then -update",
					now.PkgPath, change.Message)
			}
		}
	}
}

// exported reads what a package exported.
func exported(t *testing.T, file, path string) *types.Package {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: -update writes it", err)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	data, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	pkg, err := gcexportdata.Read(bytes.NewReader(data), token.NewFileSet(), map[string]*types.Package{}, path)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return pkg
}

// write writes what a package exports.
func write(t *testing.T, file string, pkg *types.Package) {
	t.Helper()
	var packed bytes.Buffer
	into := gzip.NewWriter(&packed)
	if err := gcexportdata.Write(into, token.NewFileSet(), pkg); err != nil {
		t.Fatal(err)
	}
	if err := into.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
