package host

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A sample of the kernel's tables takes seconds on an overloaded host. Those who call meanwhile share it, and nobody
// gets a record that is more than a second older than the call.
func TestSamplesAreShared(t *testing.T) {
	for _, row := range []struct {
		name    string
		apart   time.Duration // between two of ten calls
		samples int
	}{
		{"at once", 0, 1},
		{"during the sample's first second", 50 * time.Millisecond, 1},
		{"each a second and a half after the other", 1500 * time.Millisecond, 6},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				samples := 0 // one is taken at a time
				s := Sampler{take: func() Record {
					samples++
					began := time.Now()
					time.Sleep(3 * time.Second)
					return Record{At: began}
				}}
				var calls sync.WaitGroup
				for i := range 10 {
					calls.Go(func() {
						time.Sleep(time.Duration(i) * row.apart)
						called := time.Now()
						if age := called.Sub(s.Sample().At); age > time.Second {
							t.Errorf("call %d got a record that was %s old when it began, want at most a second", i, age)
						}
					})
				}
				calls.Wait()
				if samples != row.samples {
					t.Errorf("%d samples, want %d", samples, row.samples)
				}
			})
		})
	}
}

// A record of this very process tells what the kernel has just been made to do.
func TestSample(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the record is read from Linux's /proc")
	}
	before := sample()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 5 {
		conn, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		peer, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = peer.(*net.TCPConn).SetLinger(0) // then the close is a RST
		_ = peer.Close()
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Fatal("the connection was not reset")
		}
	}
	after := new(Sampler).Sample()
	if after.Descriptors < before.Descriptors+6 || after.DescriptorLimit <= after.Descriptors {
		t.Errorf("descriptors %d of %d, were %d before six more", after.Descriptors, after.DescriptorLimit,
			before.Descriptors)
	}
	if after.ResetsReceived < before.ResetsReceived+5 || after.ResetsSent < before.ResetsSent+5 {
		t.Errorf("resets received %d, sent %d, were %d, %d before five more", after.ResetsReceived, after.ResetsSent,
			before.ResetsReceived, before.ResetsSent)
	}
	if after.Ports < 100 || after.SchedulerDelay <= 0 {
		t.Errorf("%d ports, scheduler delay %s", after.Ports, after.SchedulerDelay)
	}
}

// Both versions of cgroups tell what their limits did.
func TestCgroup(t *testing.T) {
	for _, row := range []struct {
		name  string
		files map[string]string
		want  Record
	}{
		{"version 2", map[string]string{"cpu.stat": "usage_usec 7\nthrottled_usec 2500000\n",
			"memory.events": "low 0\nhigh 3\nmax 2\noom_kill 1\n"},
			Record{Throttled: 2500e6, MemoryHigh: 5, OOMKills: 1}},
		{"version 1", map[string]string{"cpu.stat": "nr_throttled 3\nthrottled_time 1500000000\n",
			"memory.failcnt": "4\n", "memory.oom_control": "oom_kill_disable 0\noom_kill 2\n"},
			Record{Throttled: 1500e6, MemoryHigh: 4, OOMKills: 2}},
		{"none", nil, Record{}},
	} {
		dir := t.TempDir()
		for name, text := range row.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var got Record
		got.addCgroup(map[string]string{"cpu": dir, "memory": dir})
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}
