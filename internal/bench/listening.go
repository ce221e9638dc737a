package bench

import (
	"bufio"
	"io"
	"os/exec"
	"regexp"
	"sync"
	"testing"
)

// listening is the line that exporter-toolkit logs once a program listens.
var listening = regexp.MustCompile(`msg="Listening on".* address=(\S+)`)

// Listening starts a program that logs where it listens, as exporter-toolkit does, and waits for that line. It returns
// the address, host:port. The program is killed when the test ends.
func Listening(t testing.TB, command *exec.Cmd) string {
	t.Helper()
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	t.Cleanup(func() {
		_ = command.Process.Kill()
		reading.Wait()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			reading.Go(func() { _, _ = io.Copy(io.Discard, log) }) // so that the program never waits for a reader
			return match[1]
		}
		t.Log(lines.Text())
	}
	t.Fatalf("%s ended before it listened", command.Path)
	return ""
}
