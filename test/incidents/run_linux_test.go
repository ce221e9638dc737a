package incidents

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/faultlab/netlab"
)

// incident is one thing that happens to a server.
type incident struct {
	name   string
	needs  string // the server's program
	url    string // ADDRESS in it is the server's, HOST that of the host of its container
	module string // m if empty
	labels string // phase, reason, errno and origin of its failures; alternatives by |; empty for a healthy server
	party  string // the true one, alternatives by |
	right  string // causes that are right, or can be defended, by |
	happen func(*site)
	was    string // the port of a healthy server that the target's port leads to before, where nothing happens to its own
	often  int    // targets of each kind; 1 if 0: what may race has ten
	probes int    // after it; 4 if 0

	experiments bool // two more targets have experiments made

	// idle is the time between its probes, which succeed: what happens does so to idle connections.
	idle time.Duration
}

// kind is a way in which an incident is seen.
type kind struct {
	raw     bool // with CAP_NET_RAW
	history bool // after successes
	noisy   bool // with lost packets, and another target that fails

	experiments bool // with diagnose; the next probe of such a target waits for the experiments after the one before
}

var kinds = []kind{{}, {raw: true}, {history: true}, {raw: true, history: true},
	{noisy: true}, {raw: true, noisy: true}, {history: true, noisy: true}, {raw: true, history: true, noisy: true}}

func (k kind) String() string {
	text := ""
	for _, word := range []struct {
		is  bool
		yes string
		no  string
	}{{k.raw, "with CAP_NET_RAW", "without CAP_NET_RAW"}, {k.history, "after successes", "from the first probe on"},
		{k.noisy, "with noise", "alone"}, {k.experiments, "with experiments", ""}} {
		if said := map[bool]string{true: word.yes, false: word.no}[word.is]; said != "" {
			text += said + ", "
		}
	}
	return strings.TrimSuffix(text, ", ")
}

// seen is how one target of an incident was probed, and what was said before and after it had happened.
type seen struct {
	kind
	before, probes []said
}

const successes = 5 // before an incident, where there is a history

// exporters are the four that probe: alone and with noise, without and with CAP_NET_RAW.
type exporters map[kind]*exporter

func (e exporters) of(k kind) *exporter { return e[kind{raw: k.raw, noisy: k.noisy}] }

// kinds are the kinds of an incident's targets.
func (i *incident) kinds() []kind {
	var all []kind
	for _, k := range kinds {
		for range max(1, i.often) {
			all = append(all, k)
		}
	}
	if i.experiments {
		all = append(all, kind{history: true, experiments: true}, kind{raw: true, history: true, experiments: true})
	}
	return all
}

// target is the name, the URL and the module of one of an incident's targets.
func (i *incident) target(k kind, n int) (name, url, module string) {
	address := quietAddress
	module = or(i.module, "m")
	if k.experiments {
		module += "_experiments"
	}
	if k.noisy {
		address, module = noisyAddress, module+"_noise"
	}
	url = strings.ReplaceAll(atHost(i.url, k), "ADDRESS", address)
	return fmt.Sprintf("%s %d", i.name, n), url, module
}

// run has an incident happen once, seen by all targets of all kinds at the same time.
func (s *site) run(by exporters, i *incident) []seen {
	var all []seen
	for _, k := range i.kinds() {
		all = append(all, seen{kind: k})
	}
	each := func(do func(target string, one *seen)) {
		var running sync.WaitGroup
		for n := range all {
			target, _, _ := i.target(all[n].kind, n)
			running.Go(func() { do(target, &all[n]) })
		}
		running.Wait()
	}
	each(func(target string, one *seen) {
		for range successes {
			if one.history {
				one.before = append(one.before, s.ask(by.of(one.kind), target))
			}
		}
	})
	if i.happen != nil {
		i.happen(s)
	}
	each(func(target string, one *seen) {
		for n := range max(4, i.probes) {
			if n > 0 {
				time.Sleep(i.idle)
			}
			one.probes = append(one.probes, s.ask(by.of(one.kind), target))
			if one.experiments && tried[i.name] && one.probes[n].fails() {
				s.awaitExperiments(by.of(one.kind), target)
			}
		}
	})
	return all
}

// fails reports whether a probe failed for a reason that is not the exporter's own.
func (p *said) fails() bool {
	return !p.ok && p.err == nil && !strings.Contains(p.labels, " local.")
}

// ask probes a target.
func (s *site) ask(by *exporter, target string) said {
	began := time.Now()
	got, err := by.probe(target)
	got.err, got.began, got.ended = err, began, time.Now()
	return got
}

// markProbes records which probes were made while the machine had no CPU time to spare.
func (w *witness) markProbes(results [][]seen) {
	for n := range results {
		for at := range results[n] {
			one := &results[n][at]
			for _, probes := range [][]said{one.before, one.probes} {
				for k := range probes {
					probes[k].starved = w.saw(probes[k].began, probes[k].ended)
				}
			}
		}
	}
}

// TestRealServers: what the exporter says of incidents of real servers.
func TestRealServers(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	s, all := newSite(t), incidents()
	s.cpu = watchCPU(t)
	s.startUpstreams()
	s.redirect(all)
	s.hostContainers()
	started := s.startServers()
	by := exporters{}
	for n, k := range []kind{{}, {raw: true}, {noisy: true}, {raw: true, noisy: true}} {
		by[k] = s.startExporter(all, k, fmt.Sprint(9115+n))
	}
	results := make([][]seen, len(all))
	busy, waiting := make(chan struct{}, 6), make(chan struct{}, 12) // the latter need hardly any CPU time
	var running sync.WaitGroup
	for n := range all {
		i := &all[n]
		if !started[i.needs] {
			continue
		}
		running.Go(func() {
			if i.idle == 0 { // the others' targets are probed every few seconds
				slots := busy
				if strings.Contains(i.labels, "timed_out - self") {
					slots = waiting
				}
				slots <- struct{}{}
				defer func() { <-slots }()
			}
			t.Run(i.name, func(*testing.T) { results[n] = s.run(by, i) })
		})
	}
	running.Wait()
	s.cpu.markProbes(results)
	s.judge(t, all, results)
}

// startServers starts the servers whose packages are installed.
func (s *site) startServers() map[string]bool {
	started := map[string]bool{"": true}
	for _, server := range servers {
		if _, err := exec.LookPath(server.program); err != nil {
			if _, err := os.Stat(server.program); err != nil {
				s.Logf("skipped: incidents with %s, which is not installed: apt-get install --no-install-recommends %s",
					server.name, server.name)
				continue
			}
		}
		s.software = server.name
		server.start(s)
		started[server.name] = true
	}
	s.software = "errno_exporter"
	s.awaitAnswers(s.starting...)
	for _, prepare := range s.answering {
		prepare()
	}
	return started
}

// server is a server's software.
type server struct {
	name    string // of Debian's package
	program string
	start   func(*site)
}
