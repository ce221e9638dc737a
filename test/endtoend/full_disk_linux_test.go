package endtoend

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"errno_exporter/internal/faultlab"
)

// The log is a file on a disk of 64 KiB, which is soon full. The exporter goes on and says how many lines it has lost;
// when there is room again, every line is a whole one.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a file system of its own needs root: run the tests with sudo")
	}
	dir := t.TempDir()
	alone := func(name string, args ...string) *exec.Cmd {
		command := exec.Command(name, args...)
		command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // mounts are private with it
		return command
	}
	d := runDaemonBy(t, alone, http.DefaultClient, configured(faultlab.Handler(t, faultlab.Healthy)),
		fmt.Sprintf("mount -t tmpfs -o size=64k tmpfs %s && exec 2>>%s/log;", dir, dir))
	status := faultlab.Answer(t, "HTTP/1.1 500 "+strings.Repeat("x", 200_000)+"\r\nContent-Length: 0\r\n\r\n")
	dropped := func() int {
		_, body := d.get(t, "/metrics")
		if !strings.Contains(body, "\nprobe_success{target=\"api\"} 1\n") {
			t.Errorf("the target is not seen:\n%s", body)
		}
		n, err := strconv.Atoi(string(droppedLines.FindSubmatch([]byte(body))[1]))
		if err != nil {
			t.Error(err)
		}
		return n
	}
	fail := func() {
		code, body := d.get(t, "/probe?target="+url.QueryEscape(status))
		if code != http.StatusOK || !strings.Contains(body, "\nprobe_success 0\n") {
			t.Errorf("a probe: %d %.200q, want a failure", code, body)
		}
	}
	if n := dropped(); n != 0 {
		t.Errorf("%d lines were dropped at first, want 0", n)
	}
	for range 100 { // a line of each has a quarter of a page
		fail()
	}
	// lines are written by a goroutine of their own
	eventually(t, "lines are lost", func() (string, bool) { n := dropped(); return strconv.Itoa(n), n > 0 })
	for _, path := range []string{"/", "/history", "/config", "/-/healthy"} {
		if code, body := d.get(t, path); code != http.StatusOK {
			t.Errorf("%s with a full disk: %d %.200q", path, code, body)
		}
	}
	inside := fmt.Sprintf("/proc/%d/root%s/log", d.Process.Pid, dir)
	mounts := fmt.Sprintf("--mount=/proc/%d/ns/mnt", d.Process.Pid)
	out, err := exec.Command("nsenter", mounts, "mount", "-o", "remount,size=1m", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	log, err := os.Open(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	fail()
	d.signal(t, syscall.SIGTERM)
	if err := d.Wait(); err != nil {
		t.Errorf("the exporter ended with %v, want 0", err)
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(log); err != nil {
		t.Fatal(err)
	}
	last := ""
	for line := range strings.Lines(text.String()) {
		if last = line; !strings.HasPrefix(line, "time=") {
			t.Errorf("a line that begins within another: %.100q", line)
		}
	}
	if !strings.HasSuffix(last, "\n") || text.Len() <= 64<<10 {
		t.Errorf("%d bytes of log, whose last line is %.200q: nothing was written after there was room", text.Len(), last)
	}
}

// A command whose output did not fit onto the disk says so and fails, whatever it has found.
func TestFullOutput(t *testing.T) {
	healthy := faultlab.Handler(t, faultlab.Healthy)
	file := filepath.Join(t.TempDir(), "exporter.yml")
	if err := os.WriteFile(file, []byte(plainModule), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"probe", healthy}, {"probe", "-o", "json", healthy}, {"probe", "-o", "metrics", healthy},
		{"probe", "-n", "0", "--interval=1ms", healthy}, {"probe", "--keepalive=1s", healthy}, {"probe", faultlab.ClosedPort(t)},
		{"check-config"}, {"--config.check"}, {"--help"}, {"probe", "--help"}, {"--version"},
	} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var messages bytes.Buffer
		command := exec.Command(exporter, append(args, "--config.file="+file)...)
		command.Stdout, command.Stderr = full, &messages
		_ = command.Run() // the status is compared
		_ = full.Close()
		const want = "errno_exporter: the output is incomplete: write /dev/stdout: no space left on device\n"
		if got := command.ProcessState.ExitCode(); got != 1 || messages.String() != want {
			t.Errorf("%q: status %d, %q, want 1 and %q", args, got, messages.String(), want)
		}
	}
}
