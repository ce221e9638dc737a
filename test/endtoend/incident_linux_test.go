package endtoend

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/test/incident"
)

var update = flag.Bool("update", false, "write the table of incidents in docs/causes.md, and the outputs in docs/, "+
	"instead of comparing with them")

// reproduced is what came of an incident; empty where -run left it out.
type reproduced struct {
	quiet, noisy string // the causes
	evidence     string
	output       string // what the exporter exposed at the end, as far as it matters, and the evidence
}

// attempted tells that a round of experiments is over.
var attempted = regexp.MustCompile(`(?m)^errno_exporter_control_attempts_total [1-9]`)

var causeLine = regexp.MustCompile(`(?m)^probe_cause_info\{cause="(\w+)",party="\w+",confidence="\w+",target="api"\} 1$`)

// Every incident is reproduced twice, the second time with noise: another target that fails, slow answers, and one
// packet of twenty lost. No verdict is wrong, and at most a tenth is unknown.
func TestIncidents(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	incidents := incident.All()
	results := make([]reproduced, len(incidents))
	slots := make(chan struct{}, 8) // they mostly wait
	var running sync.WaitGroup
	for i := range incidents {
		for _, noisy := range []bool{false, true} {
			running.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				name := incidents[i].Name
				if noisy {
					name += ", with noise"
				}
				t.Run(name, func(t *testing.T) {
					verdict, evidence, output := play(t, &incidents[i], noisy)
					if verdict != incidents[i].Cause && verdict != string(cause.Unknown) {
						t.Errorf("%s is called %s, want %s: %s", name, verdict, incidents[i].Cause, evidence)
					}
					if noisy {
						results[i].noisy = verdict
					} else {
						results[i].quiet, results[i].evidence, results[i].output = verdict, evidence, output
					}
				})
			})
		}
	}
	running.Wait()
	unknown := 0
	for _, r := range results {
		unknown += strings.Count(r.quiet+" "+r.noisy, string(cause.Unknown))
	}
	if unknown*10 > 2*len(incidents) {
		t.Errorf("%d of %d verdicts are unknown, want at most a tenth", unknown, 2*len(incidents))
	}
	if t.Failed() {
		return
	}
	if !slices.ContainsFunc(results, func(r reproduced) bool { return r.quiet == "" || r.noisy == "" }) {
		compareTable(t, incidents, results) // all were selected by -run
	}
	compareOutputs(t, incidents, results)
}

// play reproduces an incident and returns the cause that the exporter gives, the evidence, and what it exposed.
func play(t *testing.T, i *incident.Incident, noisy bool) (verdict, evidence, output string) {
	s := &incident.Stage{Host: t}
	run, client := exec.Command, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if i.Network {
		s.Net = netlab.New(t)
		run = func(name string, args ...string) *exec.Cmd { return s.Net.Command(netlab.C, name, args...) }
		// One connection for all: there may be no port for another.
		client.Transport = &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn,
			error) {
			return s.Net.Dial(ctx, netlab.C, network, addr)
		}}
	}
	timeout, others := time.Second, ""
	if noisy {
		timeout, s.Slow = 2*time.Second, 50*time.Millisecond
		others = fmt.Sprintf("- {name: other, url: %q, module: http_2xx}\n", faultlab.ResetAfterRequest(t))
	}
	url := i.Setup(s)
	if noisy && s.Net != nil {
		s.Net.Filter(netlab.R1, "prerouting", "meta l4proto tcp numgen inc mod 20 == 7 drop")
	}
	keys, extra := s.Prepare(i)
	configuration := "modules:\n" + faultlab.Module("api", timeout, faultlab.RootsPEM(), keys...) +
		faultlab.Module("http_2xx", timeout, faultlab.RootsPEM()) + extra +
		fmt.Sprintf("targets:\n- {name: api, url: %q, module: api}\n%s", url, others)
	before := ""
	if i.Before != "" {
		file := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(file, []byte(i.Before+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		before = "mount --bind " + file + " /etc/resolv.conf;" // in the mount namespace that ip netns exec has made
	}
	d := runDaemonBy(t, run, client, configuration, before)
	s.PID = func() int { return d.Process.Pid }
	var last string
	s.Scrape = func(n int) {
		for range n {
			_, last = d.scrape(t, "/metrics", 10)
		}
	}
	i.Steps(s)
	if strings.Contains(strings.Join(i.Module, " "), "on_failure: true") {
		eventually(t, "experiments were made", func() (string, bool) {
			s.Scrape(1)
			return last, attempted.MatchString(last)
		})
		s.Scrape(1) // whose verdict knows of them
		s.Scrape(1)
	}
	verdict = "none"
	if found := causeLine.FindStringSubmatch(last); found != nil {
		verdict = found[1]
	}
	_, page := d.get(t, "/?format=json")
	if found := regexp.MustCompile(`"name":"api".*?"evidence":\[([^\]]*)\]`).FindStringSubmatch(page); found != nil {
		evidence = found[1]
	}
	output = strings.Join(outputLine.FindAllString(last, -1), "\n")
	var lines []string
	if json.Unmarshal([]byte("["+evidence+"]"), &lines) == nil { // of no verdict there is none
		for _, line := range lines {
			output += "\n  - " + line
		}
	}
	return verdict, evidence, output
}

// compareTable compares the table in docs/causes.md with what was reproduced: the cause, and what was found instead
// where that was unknown without noise. Which packets are lost with noise is chance: those verdicts are counted only.
func compareTable(t *testing.T, incidents []incident.Incident, results []reproduced) {
	t.Helper()
	table := "| incident | cause |\n|---|---|\n"
	for i := range incidents {
		want, found := incidents[i].Cause, ""
		if results[i].quiet != want {
			found += fmt.Sprintf("; found: `%s`", results[i].quiet)
		}
		if results[i].noisy != want {
			t.Logf("%s, with noise: %s", incidents[i].Name, results[i].noisy)
		}
		table += fmt.Sprintf("| %s | `%s`%s |\n", incidents[i].Name, want, found)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "causes.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)(<!-- incidents -->\n).*(<!-- end of incidents -->)`)
	if *update {
		page = block.ReplaceAll(page, []byte("${1}"+table+"${2}"))
		if err := os.WriteFile(filepath.Join(root, "docs", "causes.md"), page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if found := block.Find(page); !strings.Contains(string(found), table) {
		t.Errorf("docs/causes.md's table of incidents differs from the results; run: go test ./test/endtoend -run "+
			"Incidents -update\n%s", table)
	}
}
