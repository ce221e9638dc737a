package clients

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const sources = "../../docs/clients/"

// A client is one program of docs/clients.
type client struct {
	source   string
	command  func(t *testing.T, dir string) []string // dir is for what it builds
	bounded  bool                                    // its deadline bounds a body that arrives slowly, too
	alive    bool                                    // it has TCP keepalives after 30 s, see docs/clients.md
	connects int                                     // how often its runtime connects in one attempt
	sends    int                                     // how often its runtime sends an idempotent request that is reset, in one attempt
}

var clients = []client{
	{"requests_client.py", python("requests"), false, true, 1, 1},
	{"urllib3_client.py", python("urllib3"), false, true, 1, 1},
	{"httpx_client.py", python("httpx"), true, false, 1, 1},
	{"aiohttp_client.py", python("aiohttp"), true, false, 1, 1},
	{"node_client.mjs", node, true, true, 1, 1},
	{"client.go", built, true, true, 1, 1},
	{"Client.java", java, true, false, 2, 2},
}

// python returns the command of a program that imports a module, by the first interpreter that has it: Debian's packages
// are those of /usr/bin/python3.
func python(module string) func(*testing.T, string) []string {
	return func(t *testing.T, _ string) []string {
		for _, interpreter := range []string{"/usr/bin/python3", "python3"} {
			found := "import importlib.util, sys; sys.exit(not importlib.util.find_spec(sys.argv[1]))"
			if exec.Command(interpreter, "-c", found, module).Run() == nil {
				return []string{interpreter, sources + module + "_client.py"}
			}
		}
		t.Skipf("needs Python's %s: apt-get install python3-%[1]s", module)
		return nil
	}
}

func node(t *testing.T, _ string) []string {
	return []string{installed(t, "node", "nodejs"), sources + "node_client.mjs"}
}

func java(t *testing.T, _ string) []string {
	// One file is compiled and run by one command (JEP 330). The flags make the start cheaper.
	return []string{installed(t, "java", "default-jdk-headless"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		sources + "Client.java"}
}

func installed(t *testing.T, program, debian string) string {
	t.Helper()
	at, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("needs %s: apt-get install %s", program, debian)
	}
	return at
}

func built(t *testing.T, dir string) []string {
	at := filepath.Join(dir, "client")
	build := exec.Command("go", "build", "-o", at, sources)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", sources, err, out)
	}
	return []string{at}
}

// A program is a client that runs: it reads a line for each call, and prints a line with its outcome.
type program struct {
	client
	in  io.WriteCloser
	out <-chan string
}

// start starts a client's program, which ends with the test.
func start(t *testing.T, c client, command []string) *program {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := make(chan string)
	go func() {
		defer close(out)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			out <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		if t.Failed() {
			_ = cmd.Process.Kill() // it may hang
		}
		_ = in.Close() // the programs end with their input
		for line := range out {
			t.Errorf("%s: nobody asked for %q", c.source, line)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", c.source, err, &stderr)
		}
	})
	return &program{c, in, out}
}

// call has the program make one call, and returns its outcome in a word: a status or "failed".
func (p *program) call(method, url string, deadline time.Duration) string {
	if _, err := fmt.Fprintln(p.in, method, url, deadline.Seconds()); err != nil {
		return err.Error()
	}
	late := time.NewTimer(deadline + slack)
	defer late.Stop()
	select {
	case line, running := <-p.out:
		if !running {
			return "the program has ended"
		}
		outcome, _, _ := strings.Cut(line, " ")
		return outcome
	case <-late.C:
		return "nothing after the deadline"
	}
}
