package endtoend

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// In a real terminal the table shows a connection that is open, its end is a line above it, and after Ctrl-C the summary
// takes the table's place.
func TestWatchTerminal(t *testing.T) {
	t.Parallel()
	tmux := find(t, "tmux", "apt-get install tmux")
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	address := listener.Addr().String()
	client, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // it is closed already, unless the test has failed
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	session := fmt.Sprintf("errno_exporter_watch_%d", listener.Addr().(*net.TCPAddr).Port)
	run := func(arguments ...string) string {
		t.Helper()
		command := exec.Command(tmux, append([]string{"-L", session}, arguments...)...)
		command.Env = append(os.Environ(), "SHELL=/bin/sh")
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("tmux: %v\n%s", err, out)
		}
		return string(out)
	}
	shows := func(what string) string {
		t.Helper()
		var screen string
		eventually(t, "the screen shows "+what, func() (string, bool) {
			screen = run("capture-pane", "-p", "-t", session)
			return screen, strings.Contains(screen, what)
		})
		return screen
	}
	run("new-session", "-d", "-x", "160", "-y", "12", "-s", session,
		"trap : INT; NO_COLOR=1 "+exporter+" watch -i 100ms "+address+"; echo status $?; exec sleep 60")
	t.Cleanup(func() { _ = exec.Command(tmux, "-L", session, "kill-server").Run() })
	shows("established  " + client.LocalAddr().String())
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	shows("close_wait   " + client.LocalAddr().String())
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	shows(client.LocalAddr().String() + " → " + address + "  " + address + "  closed by the peer ")
	run("send-keys", "-t", session, "C-c")
	screen := shows("status 0")
	for _, want := range []string{"Watching " + address + " at " + address, "    1  closed by the peer "} {
		if strings.Count(screen, want) != 1 {
			t.Errorf("the screen has not once %q:\n%s", want, screen)
		}
	}
	if strings.Contains(screen, "close_wait") {
		t.Errorf("the table is left over:\n%s", screen)
	}
}
