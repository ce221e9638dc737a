package observe

import (
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab/netlab"
)

// connectedVariable has the address that a process in a cgroup of a test connects to.
const connectedVariable = "ERRNO_EXPORTER_CONNECTED"

// newCgroup makes a cgroup, below one of the test's own. It skips the test where there is none to be had.
func newCgroup(t *testing.T, name string) (directory string) {
	t.Helper()
	mount := findCgroups()
	if mount == "" {
		t.Skip("no cgroup2 is mounted")
	}
	own, err := os.MkdirTemp(mount, "errno_exporter-test-")
	if err != nil {
		t.Skipf("cgroups can be made by root where they are not read-only: %v", err)
	}
	if err := os.Chmod(own, 0o755); err != nil { // as systemd and the container runtimes make them
		t.Fatal(err)
	}
	directory = filepath.Join(own, name)
	t.Cleanup(func() {
		for at := directory; at != mount; at = filepath.Dir(at) {
			remove(t, at)
		}
	})
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	return directory
}

// remove removes a cgroup, whose last process the kernel may still be taking out of it: then it is EBUSY.
func remove(t *testing.T, cgroup string) {
	t.Helper()
	var err error
	for until := time.Now().Add(limit); time.Now().Before(until); time.Sleep(time.Millisecond) {
		if err = os.Remove(cgroup); err == nil {
			return
		}
	}
	t.Error(err)
}

// member is a process in a cgroup that has a connection on which a request was answered.
type member struct {
	process *exec.Cmd
	input   io.Closer
	server  *net.TCPConn
}

// startMember starts one on c.
func (s *site) startMember(cgroup string) *member {
	s.Helper()
	binary, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	directory, err := os.Open(cgroup)
	if err != nil {
		s.Fatal(err)
	}
	defer directory.Close()
	m := &member{process: exec.Command(binary, "-test.run=^TestMember$")}
	m.process.Env = append(os.Environ(), connectedVariable+"="+s.address().String())
	m.process.Stderr = os.Stderr
	m.process.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(directory.Fd())}
	if m.input, err = m.process.StdinPipe(); err != nil {
		s.Fatal(err)
	}
	if err := s.net.Inside(netlab.C, m.process.Start); err != nil {
		s.Fatal(err)
	}
	accepted, err := s.listener.Accept()
	if err != nil {
		s.Fatal(err)
	}
	m.server = accepted.(*net.TCPConn)
	s.Cleanup(func() { _, _ = m.input.Close(), m.server.Close() })
	if _, err := io.ReadFull(m.server, make([]byte, len(request))); err != nil {
		s.Fatal(err)
	}
	s.write(m.server, response)
	return m
}

// ends has the process end, which closes its connection.
func (m *member) ends(s *site) {
	s.Helper()
	_ = m.input.Close() // it reads until then
	if err := m.process.Wait(); err != nil {
		s.Error(err)
	}
}

// TestMember is the process in a cgroup.
func TestMember(t *testing.T) {
	address, started := os.LookupEnv(connectedVariable)
	if !started {
		t.Skip("started by TestContainers only")
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, len(response))); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// Connections are those of the container, or of the unit, in whose cgroup the process is, and so are their ends: for
// root as for a user without privileges.
func TestContainers(t *testing.T) {
	needNamespaces(t)
	container := newCgroup(t, "kubepods.slice/cri-containerd-"+strings.Repeat("0123456789abcdef", 4)+".scope")
	unit := newCgroup(t, "system.slice/shop.service/worker")
	for _, row := range []struct {
		name    string
		observe func(*testing.T) *site
	}{
		{"root", func(t *testing.T) *site { return newSite(t, netlab.V4, Options{Interval: 20 * time.Millisecond}) }},
		{"unprivileged", func(t *testing.T) *site {
			s := newNetwork(t, netlab.V6)
			s.observer = startRemote(s)
			t.Cleanup(s.observer.Close)
			return s
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := row.observe(t)
			s.compareContainers(container, unit)
		})
	}
}

func (s *site) compareContainers(container, unit string) {
	const containerd, shop = "containerd://0123456789ab", "shop.service"
	first, second := s.startMember(container), s.startMember(unit)
	none, _ := s.connect() // by this process
	are := func(one, other ContainerCount) func(Connections) bool {
		return func(c Connections) bool { return c.Containers[containerd] == one && c.Containers[shop] == other }
	}
	s.await("a connection of each", func(c Connections) bool {
		return c.Containers[containerd].Open == 1 && c.Containers[shop].Open == 1 && c.States["established"] == 3
	})
	s.abort(first.server)
	s.await("it is gone", are(ContainerCount{}, ContainerCount{Open: 1}))
	first.ends(s)
	if e := s.end(); e.How != ResetReceived || e.Container != containerd {
		s.Errorf("end %+v, want a reset of %s", e, containerd)
	}
	second.ends(s)
	if e := s.end(); e.How != FINSent || e.Container != shop {
		s.Errorf("end %+v, want one by %s", e, shop)
	}
	s.closes(none)
	if e := s.end(); e.Container == containerd || e.Container == shop {
		s.Errorf("end %+v, want none of a container's", e)
	}
	s.await("the counts", are(ContainerCount{Ended: 1, Reset: 1}, ContainerCount{Ended: 1}))
}

// Of cgroups that are not there, or not below the mount, no path is found, and those of all levels are.
func TestCgroupPaths(t *testing.T) {
	t.Parallel()
	deep := newCgroup(t, "a/b/c/d")
	mount := findCgroups()
	wanted, want := map[uint64]bool{1 << 62: true}, map[uint64]string{}
	for at := deep; ; at = filepath.Dir(at) {
		var status syscall.Stat_t
		if err := syscall.Stat(at, &status); err != nil {
			t.Fatal(err)
		}
		wanted[status.Ino] = true
		want[status.Ino] = "/" + strings.Trim(strings.TrimPrefix(at, mount), "/")
		if at == mount {
			break
		}
	}
	if got := cgroupPaths(mount, wanted); !maps.Equal(got, want) {
		t.Errorf("paths %v, want %v", got, want)
	}
	if got := cgroupPaths("/nonexistent", wanted); len(got) > 0 {
		t.Errorf("without a mount: %v", got)
	}
}

// A search reads at most so many directories.
func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	mount := t.TempDir()
	for _, name := range []string{"a/b/c", "d/e/f", "g/h/i"} {
		if err := os.MkdirAll(filepath.Join(mount, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ room, want int }{{0, 0}, {1, 1}, {6, 6}, {100, 10}} {
		s := &search{wanted: map[uint64]bool{1 << 62: true}, found: map[uint64]string{}, buffer: make([]byte, 4096),
			read: maxCgroups - row.room}
		s.below(mount)
		if got := s.read - (maxCgroups - row.room); got != row.want {
			t.Errorf("with room for %d directories %d were read, want %d", row.room, got, row.want)
		}
	}
	claims.Prove(t, "directories that a search for cgroups reads", maxCgroups)
}
