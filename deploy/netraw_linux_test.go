package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The ways of docs/reset-capture.md to capture resets work for a user who is not root, and the log says which one it is,
// or what is missing. Where the capture is not permitted, the program runs all the same.
func TestNetRaw(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("granting CAP_NET_RAW needs root")
	}
	setpriv, setcap := need(t, "setpriv", "apt-get install util-linux"), need(t, "setcap", "apt-get install libcap2-bin")
	dir, err := os.MkdirTemp("", "errno_exporter") // that of t.TempDir is for root alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(build(t))
	if err != nil {
		t.Fatal(err)
	}
	plain, capable := filepath.Join(dir, "plain"), filepath.Join(dir, "capable")
	for _, program := range []string{plain, capable} {
		if err := os.WriteFile(program, built, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(setcap, "cap_net_raw=p", capable).CombinedOutput(); err != nil {
		t.Skipf("the file system has no file capabilities: %v: %s", err, out)
	}
	const missing = "CAP_NET_RAW is missing: see docs/reset-capture.md)"
	last := []string{"--no-new-privs"}
	for _, row := range []struct {
		name, program, privileges string
		second                    []string // options once it is another user
		want                      string   // in the log
	}{
		{"no capability", plain, "", nil, missing},
		{"no capability, no_new_privs", plain, "", last, "no_new_privs is set"},
		{"systemd's ambient capability", plain,
			"--bounding-set=-all,+net_raw --inh-caps=+net_raw --ambient-caps=+net_raw", last,
			"CAP_NET_RAW is effective"},
		{"the file's capability", capable, "--bounding-set=-all,+net_raw", nil,
			"permitted by the file's capability"},
		{"the file's capability, which the container has not", capable, "--bounding-set=-all", nil, missing},
		{"the file's capability, no_new_privs", capable, "", last, "no_new_privs is set"},
	} {
		t.Run(row.name, func(t *testing.T) {
			// setpriv itself keeps root's permitted capabilities; what it executes does not
			args := append([]string{"--reuid=65534", "--regid=65534", "--clear-groups"},
				strings.Fields(row.privileges)...)
			args = append(args, setpriv)
			args = append(args, row.second...)
			args = append(args, row.program, "probe", "--log.level=debug", "http://127.0.0.1:1/")
			out, err := exec.Command(setpriv, args...).CombinedOutput()
			if !strings.Contains(string(out), row.want) || !strings.Contains(string(out), "connection refused") {
				t.Errorf("%v, wrote, want %q and a probe that is refused:\n%s", err, row.want, out)
			}
		})
	}
}
