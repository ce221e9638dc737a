package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
			// The pipe has a writer before the exporter finds it: one without is read as an empty file.
			pipe := file + ".pipe"
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			writer, err := os.OpenFile(pipe, os.O_RDWR, 0) // does not wait for a reader (fifo(7))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = writer.Close() })
			if err := os.Rename(pipe, file); err != nil {
				t.Fatal(err)
			}
			d.signal(t, row.ask)
			eventually(t, "the exporter reads "+file, func() (string, bool) { return "", reads(d.Process.Pid, file) })
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

// reads reports whether a process has a file open.
func reads(pid int, file string) bool {
	open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // fails only on a bad pattern
	return slices.ContainsFunc(open, func(fd string) bool {
		to, err := os.Readlink(fd)
		return err == nil && to == file
	})
}
