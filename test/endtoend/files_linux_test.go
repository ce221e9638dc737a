package endtoend

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"errno_exporter/internal/faultlab"
)

// SIGTERM ends the exporter at once while it reads a file that hangs, here a named pipe whose writer says nothing.
func TestFilesThatHang(t *testing.T) {
	text := configured(faultlab.Handler(t, faultlab.Healthy))
	for _, row := range []struct {
		name  string
		flags []string
		ask   os.Signal // 0: the exporter looks by itself
		told  []string  // to systemd
	}{
		{"reload by SIGHUP", nil, syscall.SIGHUP, []string{"RELOADING=1", "STOPPING=1"}},
		{"automatic reload", []string{"--config.enable-auto-reload", "--config.auto-reload-interval=100ms"},
			syscall.Signal(0), []string{"STOPPING=1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := runDaemon(t, text, "", row.flags...)
			file := strings.TrimPrefix(d.Args[4], "--config.file=")
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(file, 0o600); err != nil {
				t.Fatal(err)
			}
			d.signal(t, row.ask)
			writer, err := os.OpenFile(file, os.O_WRONLY, 0) // waits until the exporter reads
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = writer.Close() })
			d.signal(t, syscall.SIGTERM)
			for _, state := range row.told {
				d.told(t, state)
			}
			if err := d.Wait(); err != nil {
				t.Errorf("the exporter ended with %v, want 0", err)
			}
		})
	}
}
