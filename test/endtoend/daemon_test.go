package endtoend

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// daemon is a running exporter that systemd would watch.
type daemon struct {
	*exec.Cmd
	client   *http.Client
	file     string // its configuration
	address  string
	out      *output
	notified chan string // what it tells systemd
}

// runDaemon starts the exporter on a free port, by a shell line that ends with its command line.
func runDaemon(t *testing.T, configuration, before string, flags ...string) *daemon {
	t.Helper()
	return runDaemonBy(t, exec.Command, http.DefaultClient, configuration, before, flags...)
}

// runDaemonBy is runDaemon with another way to run a command, and to ask it.
func runDaemonBy(t *testing.T, run func(string, ...string) *exec.Cmd, client *http.Client, configuration, before string,
	flags ...string) *daemon {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "exporter.yml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	// unix(7): a socket's path has at most 107 bytes, and t.TempDir has the test's name
	short, err := os.MkdirTemp("", "n")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(short, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	d := &daemon{client: client, file: file, address: faultlab.UnusedAddress(t), out: new(output),
		notified: make(chan string, 100)}
	go func() {
		buffer := make([]byte, 1<<10)
		for {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			state, _, _ := strings.Cut(string(buffer[:n]), "\n")
			d.notified <- state
		}
	}()
	args := append([]string{"-c", before + ` exec "$0" "$@"`, exporter, "--config.file=" + file,
		"--web.listen-address=" + d.address}, flags...)
	d.Cmd = run("sh", args...)
	d.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket.LocalAddr().String())
	d.Stdout, d.Stderr = d.out, d.out
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.Process.Kill() // if the test ends before it
		if t.Failed() {
			d.out.mu.Lock()
			defer d.out.mu.Unlock()
			t.Logf("the exporter wrote:\n%s", d.out.text.Bytes())
		}
	})
	d.told(t, "READY=1")
	return d
}

// told waits for what systemd is told next.
func (d *daemon) told(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-d.notified:
		if got != want {
			t.Fatalf("systemd was told %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("systemd was not told %q", want)
	}
}

// get asks the exporter for a path.
func (d *daemon) get(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := d.client.Get("http://" + d.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func (d *daemon) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := d.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

const plainModule = "modules: {http_2xx: {prober: http, timeout: 60s, http: {preferred_ip_protocol: ip4}}}\n"

func configured(url string) string {
	return plainModule + "targets: [{name: api, url: " + url + "}]\n"
}
