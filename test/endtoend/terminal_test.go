package endtoend

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
)

// In a real terminal: colours where they are wanted, no trace of the progress, and whatever a server says stays text.
func TestTerminal(t *testing.T) {
	tmux := find(t, "tmux", "apt-get install tmux")
	hostile := faultlab.Answer(t, "HTTP/1.1 500 \x1b[2J\x1b[31mOK: all is well\r\nContent-Length: 0\r\n\r\n")
	for i, row := range []struct {
		name, environment, url string
		want, unwanted         []string
	}{
		{"colour", "TERM=screen-256color", faultlab.ResetAfterRequest(t),
			[]string{"\x1b[31mFAILED", "connection reset by the peer", "status 2"}, []string{"probing"}},
		{"NO_COLOR", "NO_COLOR=1", faultlab.ResetAfterRequest(t),
			[]string{"FAILED", "connection reset by the peer", "status 2"}, []string{"\x1b[31m", "probing"}},
		{"hostile", "NO_COLOR=1", hostile, []string{"FAILED", `500 \u001b[2J\u001b[31mOK: all is well`, "status 2"},
			[]string{"\x1b"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			session := fmt.Sprintf("errno_exporter_%d", i)
			command := fmt.Sprintf("%s %s probe %s; echo status $?; exec sleep 60", row.environment, exporter, row.url)
			opening := exec.Command(tmux, "-L", session, "new-session", "-d", "-x", "160", "-y", "40", "-s", session,
				command)
			opening.Env = append(os.Environ(), "SHELL=/bin/sh") // users such as nobody have one that runs nothing
			if out, err := opening.CombinedOutput(); err != nil {
				t.Fatalf("tmux: %v\n%s", err, out)
			}
			t.Cleanup(func() { _ = exec.Command(tmux, "-L", session, "kill-server").Run() })
			var screen string
			eventually(t, "the verdict is on the screen", func() (string, bool) {
				out, err := exec.Command(tmux, "-L", session, "capture-pane", "-e", "-p", "-t", session).Output()
				if err != nil {
					return err.Error(), false
				}
				screen = string(out)
				return screen, strings.Contains(screen, "status 2")
			})
			for _, want := range row.want {
				if !strings.Contains(screen, want) {
					t.Errorf("the screen has no %q:\n%q", want, screen)
				}
			}
			for _, unwanted := range row.unwanted {
				if strings.Contains(screen, unwanted) {
					t.Errorf("the screen has %q:\n%q", unwanted, screen)
				}
			}
		})
	}
}

// Ctrl-C ends endless probing, and the summary is there all the same.
func TestInterruptedProbe(t *testing.T) {
	command := exec.Command(exporter, "probe", "-n", "0", "-i", "1ms", faultlab.ResetAfterRequest(t))
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range 3 {
		if !lines.Scan() || !strings.Contains(lines.Text(), "FAILED") {
			t.Fatalf("line %q, want one for each probe", lines.Text())
		}
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	summary := ""
	for lines.Scan() {
		summary += lines.Text() + "\n"
	}
	err = command.Wait()
	if code := command.ProcessState.ExitCode(); code != 2 || !strings.Contains(summary, " failed (100 %)\n") ||
		!strings.Contains(summary, "processing tcp.reset ECONNRESET peer\n") {
		t.Errorf("%v, status %d, want 2, and the summary:\n%s", err, code, summary)
	}
}
