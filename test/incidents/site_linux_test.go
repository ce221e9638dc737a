package incidents

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
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

// The server's addresses: the second one loses packets.
const (
	quietAddress = "10.9.3.2"
	noisyAddress = "10.9.3.3"
)

// patience bounds every wait for a program; it is reached only when a test fails.
const patience = 3 * time.Minute

// site is a network with servers.
type site struct {
	*testing.T
	net *netlab.Net
	dir string // of the servers' files
	cpu *witness

	starting  []string // ports of servers that need seconds until they answer
	answering []func() // what is to be done when they do
	software  string   // whose servers are being started
	running   []*process

	mu    sync.Mutex // guards owned processes
	alone map[string]*process
}

// newSite makes the network. One TCP packet of twenty from and to the noisy address is lost at the first router.
func newSite(t *testing.T) *site {
	dir, err := os.MkdirTemp("", "incidents") // t.TempDir is for the user who runs the test only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil { // the servers run as users of their own
		t.Fatal(err)
	}
	s := &site{T: t, net: netlab.New(t), dir: dir, alone: map[string]*process{}}
	s.net.IP(netlab.S, "addr", "add", noisyAddress+"/32", "dev", "lo")
	s.net.Filter(netlab.R1, "prerouting", "ip daddr "+noisyAddress+" meta l4proto tcp numgen inc mod 20 == 7 drop",
		"ip saddr "+noisyAddress+" meta l4proto tcp numgen inc mod 20 == 7 drop")
	return s
}

// path is a file of the site.
func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// write writes a file that every server may read; DIR in it is the site's directory.
func (s *site) write(name, text string) string {
	s.Helper()
	text = strings.ReplaceAll(text, "DIR", s.dir)
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o777); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
	return s.path(name)
}

// writeNamed writes a configuration in which NAME is its own name.
func (s *site) writeNamed(name, text string) string {
	return s.write(name+".conf", strings.ReplaceAll(text, "NAME", name))
}

// process is a server's process on the node S.
type process struct {
	*exec.Cmd
	software string
	out      lockedBuffer
	ended    chan struct{}
}

type lockedBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start runs a program at a node until the test ends, in a process group of its own, for servers have workers.
func (s *site) start(at netlab.Node, program string, args ...string) *process {
	s.Helper()
	p := &process{Cmd: s.net.Command(at, program, args...), software: s.software, ended: make(chan struct{})}
	p.Stdout, p.Stderr = &p.out, &p.out
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.Dir = s.dir
	if err := p.Start(); err != nil {
		s.Fatal(err)
	}
	go func() {
		_ = p.Wait() // how it ends is not what is tested
		close(p.ended)
	}()
	s.Cleanup(func() {
		p.signal(syscall.SIGCONT)
		p.signal(syscall.SIGKILL)
		<-p.ended
	})
	s.running = append(s.running, p)
	return p
}

// last is the end of what a process wrote, as much as is read of it.
func (p *process) last() string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
	return fmt.Sprintf("%s, its last lines:\n%s", p.Cmd, strings.Join(lines[max(0, len(lines)-most):], "\n"))
}

// log prints what the servers of an incident wrote last.
func (s *site) log(t *testing.T, i *incident) {
	for _, p := range s.running {
		own := s.portOf(p)
		if p.software == i.needs && (own == "" || strings.Contains(i.url, ":"+own)) {
			t.Log(p.last())
		}
	}
}

// portOf is the port of a process that one incident has for itself, else empty.
func (s *site) portOf(p *process) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for port, owned := range s.alone {
		if owned == p {
			return port
		}
	}
	return ""
}

// signal sends a signal to all of a server's processes.
func (p *process) signal(sig syscall.Signal) { _ = syscall.Kill(-p.Process.Pid, sig) } // they may have ended

// kill ends a server at once, and waits for its end.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// await waits until ports of the node S accept connections.
func (s *site) await(ports ...string) {
	s.Helper()
	for _, port := range ports {
		s.eventually("port "+port+" accepts connections", func() bool {
			conn, err := s.net.Dial(context.Background(), netlab.S, "tcp", net.JoinHostPort("127.0.0.1", port))
			if err == nil {
				_ = conn.Close()
			}
			return err == nil
		})
	}
}

// awaitAnswers waits until ports of the node S answer requests: some servers accept connections before they can.
func (s *site) awaitAnswers(ports ...string) {
	s.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return s.net.Dial(ctx, netlab.S, network, addr)
		}}}
	for _, port := range ports {
		s.eventually("port "+port+" answers", func() bool {
			response, err := client.Get("http://127.0.0.1:" + port + "/")
			if err == nil {
				_ = response.Body.Close()
			}
			return err == nil
		})
	}
}

// eventually waits while all programs start until something holds: servers act by their own clocks.
func (s *site) eventually(what string, holds func() bool) {
	s.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for until := time.Now().Add(patience); !holds(); <-ticker.C {
		for _, p := range s.running {
			select {
			case <-p.ended:
				s.Fatalf("%s: %s\nhas ended", what, p.last())
			default:
			}
		}
		if time.Now().After(until) {
			s.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// raise makes the file whose presence switches a fault on.
func raise(name string) func(*site) {
	return func(s *site) { s.write("flag/"+name, "") }
}

// own keeps a process that one incident has for itself, by its port.
func (s *site) own(port string, p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alone[port] = p
}

func (s *site) owned(port string) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alone[port]
}

// master signals the main process of an owned server: ip netns exec has become it.
func (s *site) master(port string, sig syscall.Signal) {
	if err := s.owned(port).Process.Signal(sig); err != nil {
		s.Errorf("signal the server at %s: %v", port, err)
	}
}

// unix sends a command to a server's socket and waits for the answer.
func (s *site) unix(name, command string) {
	conn, err := net.Dial("unix", s.path(name))
	if err != nil {
		s.Errorf("connect to %s: %v", name, err)
		return
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, command); err != nil {
		s.Errorf("write to %s: %v", name, err)
	}
	if answer, err := io.ReadAll(conn); err != nil || strings.TrimSpace(string(answer)) != "" {
		s.Errorf("%s answers %q to %q, %v", name, answer, command, err)
	}
}
