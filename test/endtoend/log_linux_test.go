package endtoend

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
)

// maxLogLine is the most that a line of the log may have, but for the mark where it is cut.
const maxLogLine = 16 << 10

// droppedLines finds how many lines of the log were dropped.
var droppedLines = regexp.MustCompile(`(?m)^errno_exporter_log_lines_dropped_total (\S+)$`)

// Standard error is a pipe that nobody reads. Probes go on, whatever they have to log, and so does the exporter's end;
// lines are dropped, and counted.
func TestUnreadLog(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "log")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that there is a reader, who does not read
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	status := faultlab.Answer(t, "HTTP/1.1 500 "+strings.Repeat("\x1b\u202e", 200_000)+"\r\nContent-Length: 0\r\n\r\n")
	client := &http.Client{Timeout: 30 * time.Second}
	d := runDaemonBy(t, exec.Command, client, configured(faultlab.Handler(t, faultlab.Healthy)), "exec 2>"+pipe+";",
		"--log.level=debug", "--log.prober=debug")
	dropped := func() float64 {
		_, body := d.get(t, "/metrics")
		if !strings.Contains(body, "\nprobe_success{target=\"api\"} 1\n") {
			t.Errorf("the target is not seen:\n%s", body)
		}
		n, err := strconv.ParseFloat(string(droppedLines.FindSubmatch([]byte(body))[1]), 64)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if n := dropped(); n != 0 {
		t.Errorf("%v lines were dropped at first, want 0", n)
	}
	const probes = 600 // whose lines are more than the pipe and the queue hold
	for range probes {
		began := time.Now()
		code, body := d.get(t, "/probe?target="+url.QueryEscape(status))
		if code != 200 || !strings.Contains(body, "\nprobe_success 0\n") || time.Since(began) > 10*time.Second {
			t.Fatalf("a probe after %s: %d %.200q, want a failure at once", time.Since(began), code, body)
		}
	}
	n := dropped()
	if n == 0 || n > probes {
		t.Errorf("%v lines were dropped, want some of %d", n, probes)
	}
	if d.get(t, "/probe?target="+url.QueryEscape(status)); dropped() != n+1 {
		t.Errorf("%v lines were dropped, want one more with each failed probe after %v", dropped(), n)
	}
	began := time.Now()
	d.signal(t, syscall.SIGTERM)
	if err := d.Wait(); err != nil || time.Since(began) > 20*time.Second {
		t.Errorf("the exporter ended with %v after %s, want 0 and soon", err, time.Since(began))
	}
	checkLines(t, reader)
	claims.Prove(t, "a line of the log", maxLogLine)
}

// checkLines looks at the lines that are in the pipe: they are bounded and those of the failed probes are cut.
func checkLines(t *testing.T, pipe *os.File) {
	t.Helper()
	held := make([]byte, 1<<20)
	n, err := pipe.Read(held)
	if err != nil {
		t.Fatal(err)
	}
	cut := 0
	for line := range bytes.Lines(held[:n]) {
		if len(line) > maxLogLine+len("… (cut)\n") {
			t.Errorf("a line of %d bytes, want at most %d", len(line), maxLogLine)
		}
		if bytes.Contains(line, []byte("probe failed")) && bytes.Contains(line, []byte("…")) {
			cut++
		}
	}
	if cut == 0 {
		t.Errorf("none of the lines is of a failed probe and cut:\n%.3000s", held[:n])
	}
}
