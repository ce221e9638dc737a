// Package host looks at what this container is short of: descriptors, ports, conntrack entries, CPU time, memory.
package host

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/procfs"
)

// Record is what was seen. What this system does not tell is 0.
type Record struct {
	At              time.Time
	Descriptors     int           // open in this process
	DescriptorLimit int           // that it may have
	Ports           int           // ephemeral ports there are (ip_local_port_range)
	PortsUsed       int           // of them towards the destination that has most
	PortsAt         time.Time     // when they were counted, which may be before At: see ports.go
	TimeWait        int           // sockets of the network namespace in TIME_WAIT
	Conntrack       int           // entries of the connection tracker
	ConntrackLimit  int           // that it may have
	ResetsReceived  uint64        // connections that a RST ended, of the namespace since it was made (EstabResets)
	ResetsSent      uint64        // RSTs sent (OutRsts)
	Retransmitted   uint64        // segments sent again (RetransSegs)
	Throttled       time.Duration // that the cgroup was kept from the CPUs by its quota
	MemoryHigh      uint64        // times the cgroup was throttled at memory.high, or failed to get memory (v1)
	OOMKills        uint64        // of the cgroup
	CPUPressure     float64       // share of the last ten seconds in which some task waited for a CPU
	MemoryPressure  float64       // share in which some waited for memory
	SchedulerDelay  time.Duration // that this process was ready to run and waited, since it began
}

// Sampler samples, and remembers the last record for those who cannot wait: the table of sockets may be long. It may be
// used by many goroutines.
type Sampler struct {
	take  func() Record // sample; another function in tests
	ports ports         // belongs to the sample under way

	mu    sync.Mutex    // guards taken
	taken chan struct{} // is closed when the sample under way has ended; nil without one
	last  atomic.Pointer[Record]
}

// freshness is for how long a record is handed out again.
const freshness = time.Second

// Sample returns a record that is at most a second older than the call. Callers share one sample, however long it
// takes: on an overloaded host that is seconds, and hundreds of probes may wait for it.
func (s *Sampler) Sample() Record {
	called := time.Now()
	return s.until(func(last *Record) bool { return called.Sub(last.At) <= freshness }, whenDue)
}

// SampleSince returns a record whose ports were counted at most a second before a time: that of a failure for want of
// them.
func (s *Sampler) SampleSince(at time.Time) Record {
	if now := time.Now(); at.After(now) { // the clock was set back
		at = now
	}
	return s.until(func(last *Record) bool { return at.Sub(last.PortsAt) <= freshness }, always)
}

// until returns the last record if it is good enough, and else samples.
func (s *Sampler) until(good func(last *Record) bool, counted when) Record {
	for {
		s.mu.Lock()
		if last := s.last.Load(); last != nil && good(last) {
			s.mu.Unlock()
			return *last
		}
		if taken := s.taken; taken != nil {
			s.mu.Unlock()
			<-taken
			continue
		}
		s.taken = make(chan struct{})
		s.mu.Unlock()
		s.update(counted)
	}
}

// update takes a sample. A sample that panics is nobody's: those who wait for it take their own.
func (s *Sampler) update(counted when) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.taken)
		s.taken = nil
	}()
	take := s.take
	if take == nil {
		take = sample
	}
	r := take()
	s.ports.add(&r, s.last.Load(), counted)
	s.last.Store(&r)
}

// Last returns the last record, however old; it samples only if there is none.
func (s *Sampler) Last() Record {
	if last := s.last.Load(); last != nil {
		return *last
	}
	return s.Sample()
}

func sample() Record {
	r := Record{At: time.Now()}
	if fs, err := procfs.NewDefaultFS(); err == nil {
		r.addProcess(fs)
		if stat, err := fs.NetSockstat(); err == nil {
			for _, p := range stat.Protocols {
				if p.Protocol == "TCP" && p.TW != nil {
					r.TimeWait = *p.TW
				}
			}
		}
		r.CPUPressure, r.MemoryPressure = pressure(fs, "cpu"), pressure(fs, "memory")
	}
	r.Conntrack, r.ConntrackLimit = number(read("/proc/sys/net/netfilter/nf_conntrack_count")),
		number(read("/proc/sys/net/netfilter/nf_conntrack_max"))
	r.addCgroup(cgroups("/proc/self/cgroup"))
	return r
}

// addProcess adds what /proc/self and the namespace's counters tell.
func (r *Record) addProcess(fs procfs.FS) {
	self, err := fs.Self()
	if err != nil {
		return
	}
	r.Descriptors, _ = self.FileDescriptorsLen() // 0 where it cannot be told, here and below
	if limits, err := self.Limits(); err == nil {
		r.DescriptorLimit = int(min(limits.OpenFiles, 1<<31-1))
	}
	if delay, err := self.Schedstat(); err == nil {
		r.SchedulerDelay = time.Duration(delay.WaitingNanoseconds)
	}
	if snmp, err := self.Snmp(); err == nil {
		count := func(v *float64) uint64 {
			if v == nil {
				return 0
			}
			return uint64(*v)
		}
		r.ResetsReceived, r.ResetsSent, r.Retransmitted = count(snmp.Tcp.EstabResets), count(snmp.OutRsts),
			count(snmp.RetransSegs)
	}
}

// pressure is the share of the last ten seconds in which some task waited for a resource (PSI,
// Documentation/accounting/psi.rst).
func pressure(fs procfs.FS, resource string) float64 {
	stats, err := fs.PSIStatsForResource(resource)
	if err != nil || stats.Some == nil {
		return 0
	}
	return stats.Some.Avg10 / 100
}

// read is a file's text without what surrounds it; empty if it cannot be read.
func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func number(text string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(text)) // 0 where there is none
	return n
}

// cgroups are the folders of this process' cgroup, by controller; "" is that of version 2.
func cgroups(membership string) map[string]string {
	folders := map[string]string{}
	for line := range strings.Lines(read(membership)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // cgroups(7), /proc/pid/cgroup
		if len(fields) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			for _, folder := range []string{filepath.Join("/sys/fs/cgroup", controller, fields[2]),
				filepath.Join("/sys/fs/cgroup", controller)} {
				if _, err := os.Stat(folder); err == nil && folders[controller] == "" {
					folders[controller] = folder // in a container the path may be the host's: then it is the root
				}
			}
		}
	}
	return folders
}

// addCgroup adds what the limits of the cgroup have done.
func (r *Record) addCgroup(folders map[string]string) {
	cpu, memory := folders["cpu"], folders["memory"]
	if cpu == "" {
		cpu = folders[""]
	}
	if memory == "" {
		memory = folders[""]
	}
	stat := keyed(filepath.Join(cpu, "cpu.stat"))
	r.Throttled = time.Duration(stat["throttled_usec"])*time.Microsecond + time.Duration(stat["throttled_time"])
	events := keyed(filepath.Join(memory, "memory.events"))
	r.MemoryHigh, r.OOMKills = uint64(events["high"]+events["max"])+uint64(number(read(filepath.Join(memory,
		"memory.failcnt")))), uint64(events["oom_kill"])
	if r.OOMKills == 0 {
		r.OOMKills = uint64(keyed(filepath.Join(memory, "memory.oom_control"))["oom_kill"])
	}
}

// keyed reads a file of lines "key value".
func keyed(path string) map[string]int {
	values := map[string]int{}
	for line := range strings.Lines(read(path)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			values[name] = number(value)
		}
	}
	return values
}
