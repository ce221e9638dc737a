package endtoend

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// soak is how many probes the soak makes. CI makes 100,000.
var soak = flag.Int("soak", 5000, "probes of TestSoak")

// usage is what the exporter holds.
type usage struct{ Goroutines, Descriptors, Heap int }

var (
	goroutineLine = regexp.MustCompile(`(?m)^goroutine profile: total (\d+)$`)
	heapLine      = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)
)

// usage collects garbage and looks. The request that asks is part of it.
func (d *daemon) usage(t *testing.T) usage {
	t.Helper()
	number := func(line *regexp.Regexp, path string) int {
		_, body := d.get(t, path)
		found := line.FindStringSubmatch(body)
		if found == nil {
			t.Fatalf("%s: no %s", path, line)
		}
		n, err := strconv.Atoi(found[1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	number(heapLine, "/debug/pprof/heap?debug=1&gc=1") // pools give back what they hold in the second collection
	u := usage{Heap: number(heapLine, "/debug/pprof/heap?debug=1&gc=1"),
		Goroutines: number(goroutineLine, "/debug/pprof/goroutine?debug=1")}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	u.Descriptors = len(files)
	return u
}

// unexpected are failures that the soak's servers do not cause.
var unexpected = regexp.MustCompile(`(?m)^probe_failure_info.*reason="(unknown|local\.).*$`)

// A mixture of all kinds of faults, again and again: at the end the exporter holds what it held at the beginning.
func TestSoak(t *testing.T) {
	const targets, scrapeTimeout = 1000, 3
	slow := func(url string) [2]string { return [2]string{url, "brief"} }
	plain := func(url string) [2]string { return [2]string{url, "api"} }
	kinds := [][2]string{
		plain(faultlab.Handler(t, faultlab.Healthy)), plain(faultlab.TLSHandler(t, faultlab.Healthy, "http/1.1")),
		plain(faultlab.TLSHandler(t, faultlab.Healthy, "h2")),
		{faultlab.Handler(t, faultlab.Healthy), "kept"}, {faultlab.TLSHandler(t, faultlab.Healthy, "h2"), "kept"},
		{faultlab.Handler(t, faultlab.Resetting), "retry"},
		plain(faultlab.ResetAfterRequest(t)), plain(faultlab.FinAfterRequest(t)),
		plain(faultlab.CloseWithUnreadRequest(t)), plain(faultlab.ResetMidHead(t, 20)),
		plain(faultlab.FinMidHead(t, 20)), plain(faultlab.Status(t, 500)), plain(faultlab.Status(t, 429)),
		plain(faultlab.Redirects(t) + "5"),
		plain(faultlab.Redirects(t) + "100"), plain(faultlab.EndlessInformation(t)), plain(faultlab.NotText(t)),
		plain("http://127.0.0.1:1/"),
		plain("https" + strings.TrimPrefix(faultlab.Handler(t, faultlab.Healthy), "http")),
		slow(faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter,
			r *http.Request) {
			<-r.Context().Done()
		}))),
	}
	text := "modules:\n" + faultlab.Module("api", 2*time.Second, faultlab.RootsPEM()) +
		faultlab.Module("brief", 100*time.Millisecond, faultlab.RootsPEM()) +
		faultlab.Module("kept", 2*time.Second, faultlab.RootsPEM(), "keepalive: {idle: [1s, 10s]}") +
		faultlab.Module("retry", 2*time.Second, faultlab.RootsPEM(), "retry: {attempts: 2, initial_backoff: 1ms}") +
		"targets:\n"
	for i := range targets {
		kind := kinds[i%len(kinds)]
		text += fmt.Sprintf("- {name: t%d, url: %q, module: %s}\n", i, kind[0], kind[1])
	}
	d := runDaemon(t, text, "", "--web.enable-pprof", "--log.prober=error")
	var before usage
	for n := 0; n < *soak; n += targets {
		status, body := d.scrape(t, "/metrics", scrapeTimeout)
		if status != http.StatusOK || strings.Count(body, "\nprobe_success{") != targets {
			t.Fatalf("after %d probes: %d, %d targets, want 200 and %d", n, status,
				strings.Count(body, "\nprobe_success{"), targets)
		}
		for _, failure := range unexpected.FindAllString(body, -1) {
			if !strings.Contains(failure, `reason="local.overloaded"`) { // which is the machine's, not a leak
				t.Errorf("after %d probes: %s", n, failure)
			}
		}
		if n == *soak*2/3/targets*targets { // what is kept of a target, sixty results, is full by then
			before = d.usage(t)
		}
	}
	var after usage
	eventually(t, "the exporter is at rest", func() (string, bool) {
		after = d.usage(t)
		return fmt.Sprintf("%+v, was %+v", after, before), after.Goroutines <= before.Goroutines+20 &&
			after.Descriptors <= before.Descriptors+20
	})
	if after.Heap > before.Heap+before.Heap/5+4<<20 {
		t.Errorf("after %d probes %+v, was %+v", *soak, after, before)
	}
	t.Logf("after %d probes %+v, was %+v", *soak, after, before)
}
