//go:build unix

package compile

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A secret whose file became a named pipe since the load is refused at once: nobody may ever write to it.
func TestSecretFileIsRegular(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "is a named pipe, want a regular file"
	if _, err := fileSecret(pipe).Fetch(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Fetch = %v, want %s", err, want)
	}
}
