// Package build builds the exporter for the tests that run it as a process.
package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Exporter builds the exporter from the package in a directory, sets built to its path, runs the tests, and exits: the
// whole of a TestMain.
func Exporter(m *testing.M, from string, built *string) {
	os.Exit(run(m, from, built))
}

func run(m *testing.M, from string, built *string) int {
	dir, err := os.MkdirTemp("", "errno_exporter")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	*built = filepath.Join(dir, "errno_exporter")
	if out, err := exec.Command("go", "build", "-o", *built, from).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %s\n%s", err, out)
		return 1
	}
	return m.Run()
}
