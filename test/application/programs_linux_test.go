package application

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/faultlab/netlab"
)

// An application is a program with the connection pool of its language, as it is without options.
type application struct {
	name    string
	command func(t *testing.T, dir string) []string
}

var applications = []application{
	{"requests", python("requests")},
	{"urllib3", python("urllib3")},
	{"node", func(t *testing.T, _ string) []string {
		return []string{need(t, "node", "nodejs"), "testdata/node_app.mjs"}
	}},
	{"java", func(t *testing.T, _ string) []string {
		return []string{need(t, "java", "default-jdk-headless"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
			"testdata/App.java"}
	}},
	{"go", func(t *testing.T, dir string) []string {
		return []string{build(t, "./testdata/goclient", filepath.Join(dir, "goclient"))}
	}},
}

func python(module string) func(*testing.T, string) []string {
	return func(t *testing.T, _ string) []string {
		for _, interpreter := range []string{"/usr/bin/python3", "python3"} {
			if exec.Command(interpreter, "-c", "import "+module).Run() == nil {
				return []string{interpreter, "testdata/" + module + "_app.py"}
			}
		}
		t.Skipf("needs Python's %s: apt-get install python3-%[1]s", module)
		return nil
	}
}

func need(t *testing.T, program, debian string) string {
	t.Helper()
	at, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("needs %s: apt-get install %s", program, debian)
	}
	return at
}

func build(t *testing.T, from, to string) string {
	t.Helper()
	command := exec.Command("go", "build", "-o", to, from)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", from, err, out)
	}
	return to
}

// An outcome is what an application reports of one call: a status, or the exception.
type outcome struct{ application, scenario, step, text string }

// failed reports whether the call failed.
func (o outcome) failed() bool { return o.text != "200" }

// run runs an application's part of all scenarios and returns what it reports.
func (a *application) run(t *testing.T, n *netlab.Net, command []string) []outcome {
	for i := range scenarios {
		for _, address := range families {
			if s := &scenarios[i]; s.only == "" || s.only == a.name {
				command = append(command, fmt.Sprintf("%d=http://%s/=%s", i, netip.AddrPortFrom(address, s.port), s.plan))
			}
		}
	}
	running := n.Command(netlab.C, command[0], command[1:]...)
	var errors bytes.Buffer
	running.Stderr = &errors
	began := time.Now()
	out, err := running.Output()
	t.Logf("%s: %v", a.name, time.Since(began))
	if err != nil {
		t.Errorf("%s: %v\n%s", a.name, err, &errors)
	}
	var outcomes []outcome
	for line := range strings.Lines(string(out)) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		var i int
		if _, err := fmt.Sscan(words[0], &i); err != nil || len(words) < 3 {
			t.Errorf("%s wrote %q", a.name, line)
			continue
		}
		outcomes = append(outcomes, outcome{a.name, scenarios[i].name, words[1], words[2]})
	}
	return outcomes
}

// An end is a line of errno_exporter watch -o json.
type end struct {
	Event         string
	Target        string
	Local, Remote netip.AddrPort
	How, Origin   string
	Certain       bool
	Idle          float64  `json:"idle_seconds"`
	Age           *float64 `json:"age_seconds"`
	Lost          string
	EventsLost    uint64 `json:"events_lost"`
}

// An exporter watches the applications' connections.
type exporter struct {
	name    string
	least   float64 // share of kinds that have to be right
	command *exec.Cmd
	lines   *bufio.Scanner
	errors  bytes.Buffer

	arrived *sync.Cond // a line
	mu      sync.Mutex // guards the others
	ends    []end
	lost    uint64          // events, as it says itself
	targets map[string]bool // it has reported on
	over    bool
}

// watch starts an exporter with a prefix of its command line, and waits until it has reported on each target.
func watch(t *testing.T, n *netlab.Net, name string, command ...string) *exporter {
	t.Helper()
	x := &exporter{name: name, targets: map[string]bool{}}
	x.arrived = sync.NewCond(&x.mu)
	command = append(command, "watch", "-o", "json", "--interval=1s")
	for i := range scenarios {
		for _, address := range families {
			command = append(command, netip.AddrPortFrom(address, scenarios[i].port).String())
		}
	}
	x.command = n.Command(netlab.C, command[0], command[1:]...)
	x.command.Stderr = &x.errors
	out, err := x.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.command.Process.Kill(); _ = x.command.Wait() })
	go x.read(out)
	x.await(t, "it reports on each target", func() bool { return len(x.targets) == len(scenarios)*len(families) })
	return x
}

func (x *exporter) read(from io.Reader) {
	x.lines = bufio.NewScanner(from)
	for x.lines.Scan() {
		var e end
		if err := json.Unmarshal(x.lines.Bytes(), &e); err != nil {
			e.Event = err.Error()
		}
		x.mu.Lock()
		switch x.targets[e.Target] = true; e.Event {
		case "connections", "summary":
			x.lost = max(x.lost, e.EventsLost)
		default:
			x.ends = append(x.ends, e)
		}
		x.mu.Unlock()
		x.arrived.Broadcast()
	}
	x.mu.Lock()
	x.over = true
	x.mu.Unlock()
	x.arrived.Broadcast()
}

// await waits until what has been read is enough; the deadline is for what never comes.
func (x *exporter) await(t *testing.T, what string, enough func() bool) {
	t.Helper()
	late := false
	timer := time.AfterFunc(time.Minute, func() {
		x.mu.Lock()
		late = true
		x.mu.Unlock()
		x.arrived.Broadcast()
	})
	defer timer.Stop()
	x.mu.Lock()
	defer x.mu.Unlock()
	for !enough() {
		if late || x.over {
			t.Fatalf("%s: not yet: %s (%d lines)\n%s", x.name, what, len(x.ends), &x.errors)
		}
		x.arrived.Wait()
	}
}

// stop ends the exporter, and returns the ends.
func (x *exporter) stop(t *testing.T) []end {
	t.Helper()
	if err := x.command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	x.mu.Lock()
	for !x.over {
		x.arrived.Wait()
	}
	x.mu.Unlock()
	if err := x.command.Wait(); err != nil || x.errors.Len() > 0 {
		t.Errorf("%s: %v\n%s", x.name, err, &x.errors)
	}
	return x.ends
}
