package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The bill of the exporter names what `go version -m` names, says which program it is about, and is the same each time.
func TestBillOfTheExporter(t *testing.T) {
	dir := t.TempDir()
	program, first, second := filepath.Join(dir, "program"), filepath.Join(dir, "1.json"), filepath.Join(dir, "2.json")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", program, ".")
	build.Dir = "../../.." // the exporter's module
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, document := range []string{first, second} {
		if err := write(program, document, "0.1.0", "2026-11-22T05:06:52Z"); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(second); err != nil || !bytes.Equal(encoded, again) {
		t.Errorf("two bills of one program are different: %v", err)
	}
	var b bill
	if err := json.Unmarshal(encoded, &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Spec != "1.5" || b.Metadata.Component.Ref != "errno_exporter@0.1.0" ||
		b.Metadata.Timestamp != "2026-11-22T05:06:52Z" || len(b.Metadata.Component.Hashes) != 1 {
		t.Errorf("the head is %+v", b)
	}
	got := map[string]bool{}
	for _, c := range b.Components {
		got[c.PackageURL] = true
	}
	listed, err := exec.Command("go", "version", "-m", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := 0
	for _, line := range strings.Split(string(listed), "\n") {
		if fields := strings.Fields(line); len(fields) >= 3 && fields[0] == "dep" {
			modules++
			if url := "pkg:golang/" + fields[1] + "@" + fields[2]; !got[url] {
				t.Errorf("%s is missing", url)
			}
		}
	}
	if modules == 0 || len(b.Components) != modules+1 || len(b.Dependencies) != modules+2 {
		t.Errorf("%d components and %d dependencies of %d modules and the standard library",
			len(b.Components), len(b.Dependencies), modules)
	}
}

func TestNoBill(t *testing.T) {
	document := filepath.Join(t.TempDir(), "bill.json")
	for _, row := range []struct{ program, at, want string }{
		{"main.go", "2026-11-22T05:06:52Z", "could not read Go build info"},
		{"nosuch", "2026-11-22T05:06:52Z", "no such file"},
		{"main.go", "today", "cannot parse"},
	} {
		if err := write(row.program, document, "0.1.0", row.at); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s at %s: %v, want %s", row.program, row.at, err, row.want)
		}
		if _, err := os.Stat(document); err == nil {
			t.Errorf("%s at %s: there is a bill", row.program, row.at)
		}
	}
}
