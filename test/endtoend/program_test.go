package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/test/build"
)

// root is the repository.
const root = "../.."

// exporter is the built program; TestMain builds it.
var exporter string

func TestMain(m *testing.M) {
	build.Exporter(m, root, &exporter)
}

// find is where a program is: one of Debian's, or one that make tools has built. Without it the test is skipped.
func find(t *testing.T, name, how string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if built, wrong := filepath.Abs(filepath.Join(root, ".tools", name)); err != nil && wrong == nil {
		path, err = exec.LookPath(built)
	}
	if err != nil {
		t.Skipf("%s is not there: %s", name, how)
	}
	return path
}

// output collects what a program writes.
type output struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// start runs a program until the test ends, and waits until it answers 200 at an URL.
func start(t *testing.T, ready string, path string, args ...string) *exec.Cmd {
	t.Helper()
	var out output
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // fails when it has ended by itself
		_ = command.Wait()
		if t.Failed() {
			out.mu.Lock()
			defer out.mu.Unlock()
			t.Logf("%s %q wrote:\n%s", path, args, out.text.Bytes())
		}
	})
	eventually(t, filepath.Base(path)+" is ready", func() (string, bool) {
		response, err := http.Get(ready)
		if err != nil {
			return err.Error(), false
		}
		_ = response.Body.Close()
		return response.Status, response.StatusCode == http.StatusOK
	})
	return command
}

// patience is how long the real programs may take for anything; it is reached only when a test fails.
const patience = 90 * time.Second

// eventually looks again and again until what is seen is right. Other programs act by their own clocks.
func eventually(t *testing.T, what string, look func() (seen string, right bool)) {
	t.Helper()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.Now().Add(patience)
	for {
		seen, right := look()
		if right {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s; last seen: %s", what, patience, seen)
		}
		<-ticker.C
	}
}

// getJSON reads what an API answers.
func getJSON(t *testing.T, address string, into any) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v: %s", address, response.Status, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("GET %s: %v in %s", address, err, body)
	}
}

// prometheus is a running Prometheus.
type prometheus struct{ address string }

// startPrometheus runs Prometheus by a configuration.
func startPrometheus(t *testing.T, path, configuration string, flags ...string) prometheus {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	p := prometheus{faultlab.UnusedAddress(t)}
	start(t, "http://"+p.address+"/-/ready", path, append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" +
			p.address, "--log.level=warn",
	}, flags...)...)
	return p
}

// vector is what an instant query answers: the value of each series by the values of the labels that are asked for.
func (p prometheus) vector(t *testing.T, query string, labels ...string) map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	getJSON(t, "http://"+p.address+"/api/v1/query?query="+url.QueryEscape(query), &answer)
	got := map[string]string{}
	for _, series := range answer.Data.Result {
		key := ""
		for i, label := range labels {
			if i > 0 {
				key += " "
			}
			key += series.Metric[label]
		}
		got[key] = fmt.Sprint(series.Value[1])
	}
	return got
}
