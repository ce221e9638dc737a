package endtoend

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// nobody is a user without capabilities: for root a process of another user has none, and who is not root has none
// already.
func nobody() *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

// The commands of a terminal write nothing to standard error that was not asked for, also where the kernel refuses what
// only privileged users may have.
func TestTerminalCommandsAreQuiet(t *testing.T) {
	dir, err := os.MkdirTemp("", "quiet") // t.TempDir is below a directory that only we may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program, file := filepath.Join(dir, "errno_exporter"), filepath.Join(dir, "exporter.yml")
	built, err := os.ReadFile(exporter)
	if err != nil {
		t.Fatal(err)
	}
	text := "modules:\n" + faultlab.Module("plain", 10*time.Second, faultlab.RootsPEM()) +
		faultlab.Module("quic", 10*time.Second, faultlab.RootsPEM(), "enable_http3: true", "enable_http2: false")
	for name, content := range map[string][]byte{program: built, file: []byte(text)} {
		if err := os.WriteFile(name, content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const refused = "Resets are not attributed"
	http3 := faultlab.HTTP3Handler(t, faultlab.Healthy)
	for _, row := range []struct {
		name, args string
		status     int
		want       string // in standard error; "" for nothing there at all
	}{
		{"probe", "probe -m plain " + faultlab.Handler(t, faultlab.Healthy), 0, ""},
		{"probe, several", "probe -m plain -n 2 -i 1ms " + faultlab.Handler(t, faultlab.Healthy), 0, ""},
		{"probe that fails", "probe -m plain --diagnose " + faultlab.ResetAfterRequest(t), 2, ""},
		{"probe over HTTP/3", "probe -m quic -o json " + http3, 0, ""},
		{"check-config", "check-config", 0, ""},
		{"probe, asked for everything", "probe -m plain --log.level=debug " + faultlab.Handler(t, faultlab.Healthy), 0,
			refused},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stderr bytes.Buffer
			command := exec.Command(program, append(strings.Fields(row.args), "--config.file="+file)...)
			command.Stderr, command.SysProcAttr = &stderr, nobody()
			_ = command.Run() // its status is below
			if got := stderr.String(); command.ProcessState.ExitCode() != row.status ||
				!strings.Contains(got, row.want) || row.want == "" && got != "" {
				t.Errorf("%s: %s, wrote %q to standard error, want status %d and %q", row.args, command.ProcessState,
					got, row.status, row.want)
			}
		})
	}
}
