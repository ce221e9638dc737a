package endtoend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
)

// How pages are counted.
//
//   - The exporter, Prometheus and Alertmanager are the real ones, by the shipped rules and Alertmanager's shipped
//     configuration; a page is a notification of the receiver "pager" in which something fires.
//   - All durations of the rules and of Alertmanager are a 48th of what ships, also the intervals at which rules are
//     evaluated: a minute of theirs takes 1.25 s. Targets are scraped once in such a minute, the longest interval that
//     is supported. A group waits for 1 s, as the programs themselves are not 48 times as fast.
//   - Time is that of the last evaluation of the alerts, so that a busy machine delays the test and changes nothing.
const (
	pace   = 48
	minute = time.Minute / pace
)

// The phases of a scenario. A budget's long window needs a quarter of an hour; that and ten minutes after a target
// works again are over at the end.
const (
	sound     = 4 * minute
	broken    = 13 * minute
	recovered = 12 * minute
)

var durations = regexp.MustCompile(`(\[|: |offset )(\d+)(s|m|h|d)\b`)

// atPace is a shipped file with its durations at pace.
func atPace(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "monitoring", file))
	if err != nil {
		t.Fatal(err)
	}
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	return durations.ReplaceAllStringFunc(string(content), func(found string) string {
		parts := durations.FindStringSubmatch(found)
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			t.Fatalf("%s: %q: %v", file, found, err)
		}
		return fmt.Sprintf("%s%dms", parts[1], (time.Duration(n) * units[parts[3]] / pace).Milliseconds())
	})
}

// pager counts the notifications of the receiver "pager".
type pager struct {
	url string

	mu    sync.Mutex // guards pages
	pages []string   // what fires, by name and API or instance; each once
}

func newPager(t *testing.T) *pager {
	t.Helper()
	p := &pager{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var notification struct{ Alerts []notified }
		if err := json.NewDecoder(r.Body).Decode(&notification); err != nil {
			t.Errorf("notification: %v", err)
		}
		var firing []string
		for _, a := range notification.Alerts {
			if a.Status == "firing" {
				firing = append(firing, strings.TrimSpace(a.Labels["alertname"]+" "+a.Labels["api"]))
			}
		}
		if r.URL.Path != "/pager" || len(firing) == 0 {
			return
		}
		slices.Sort(firing)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pages = append(p.pages, strings.Join(slices.Compact(firing), ", "))
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// so is what was paged so far.
func (p *pager) so() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.pages)
}

// scene is what a scenario consists of: exporters at their vantages, and what is done to them.
type scene struct {
	exporters   []exporting
	breaks, fix func()
}

type exporting struct{ address, vantage string }

// pageScenarios are the scenarios, and the pages of each.
var pageScenarios = []struct {
	name    string
	stage   func(*testing.T) scene
	changes int      // how often an exporter stops to answer, or begins again
	pages   []string // from the begin of the fault to long after everything works again
}{
	{"one broken target of four", brokenTarget, 0, []string{"ErrnoTargetFailing api-0"}},
	{"one dead exporter", deadExporter, 2, []string{"ErrnoExporterDown"}},
	{"one dead egress, and nothing after it", deadEgress, 0, []string{"ErrnoEgressDown"}},
	{"one dead egress with reference targets, and nothing after it", deadReferences, 0, []string{"ErrnoEgressDown"}},
	{"one API down from three vantages by two exporters each", downEverywhere, 0,
		[]string{"ErrnoTargetFailingEverywhere api-0"}},
}

// What wakes somebody up does so once, and not again when it is over. On a machine on which scrapes take longer than
// their timeout at pace, an exporter is down for Prometheus, and other pages are right: the test is skipped then.
func TestPages(t *testing.T) {
	paths := [2]string{find(t, "prometheus-3", "make tools"), find(t, "alertmanager-31", "make tools")}
	var running sync.WaitGroup
	for _, row := range pageScenarios {
		running.Go(func() {
			t.Run(row.name, func(t *testing.T) {
				s, hook := row.stage(t), newPager(t)
				p := startAtPace(t, paths, hook, s.exporters)
				eventually(t, "all targets work", func() (string, bool) {
					got := p.vector(t, `count(probe_success == 1)`)
					return fmt.Sprint(got), got[""] == fmt.Sprint(len(s.exporters)*apis)
				})
				p.evaluated(t, sound)
				before := len(hook.so()) // while the programs start, scrapes may be missing
				s.breaks()
				p.evaluated(t, broken)
				during := len(hook.so())
				s.fix()
				p.evaluated(t, recovered)
				all := hook.so()
				diff, after := cmp.Diff(row.pages, all[before:during]), all[during:]
				if diff == "" && len(after) == 0 {
					return
				}
				if got := p.vector(t, `max(changes(up[1h]))`)[""]; got != fmt.Sprint(row.changes) {
					t.Skipf("exporters stopped or began to answer %s times, want %d: the machine is too slow at %d times the pace",
						got, row.changes, pace)
				}
				t.Errorf("pages until the end of the fault (-want +got):\n%s\npages after it: %q, want none", diff, after)
			})
		})
	}
	running.Wait()
}

// startAtPace starts Prometheus and Alertmanager.
func startAtPace(t *testing.T, paths [2]string, hook *pager, exporters []exporting) prometheus {
	t.Helper()
	dir, address := t.TempDir(), faultlab.UnusedAddress(t)
	text := strings.ReplaceAll(atPace(t, "alertmanager.yml"), "http://127.0.0.1:9099/", hook.url+"/")
	text = regexp.MustCompile(`group_wait: \d+ms`).ReplaceAllString(text, "group_wait: 1s")
	start(t, "http://"+address+"/-/ready", paths[1], "--config.file="+write(t, dir, "alertmanager.yml", text),
		"--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--cluster.listen-address=")
	var targets strings.Builder
	for _, e := range exporters {
		fmt.Fprintf(&targets, "      - {targets: [%q], labels: {vantage: %s}}\n", e.address, e.vantage)
	}
	return startPrometheus(t, paths[0], fmt.Sprintf(`
global: {scrape_interval: %[1]dms, scrape_timeout: %[1]dms, evaluation_interval: %[2]dms}
rule_files: [%[3]q, %[4]q]
alerting:
  alertmanagers:
    - static_configs:
        - targets: [%[5]q]
scrape_configs:
  - job_name: apis
    static_configs:
%[6]s`, minute.Milliseconds(), (minute/4).Milliseconds(), write(t, dir, "recording.yml", atPace(t, "recording.yml")),
		write(t, dir, "alerts.yml", atPace(t, "alerts.yml")), address, targets.String()),
		fmt.Sprintf("--query.lookback-delta=%dms", (5*minute).Milliseconds()))
}

// evaluated waits until all groups of alerts have been evaluated at a time that is this much later than now.
func (p prometheus) evaluated(t *testing.T, after time.Duration) {
	t.Helper()
	until := time.Now().Add(after)
	eventually(t, fmt.Sprintf("alerts are evaluated at %v", until), func() (string, bool) {
		var answer struct {
			Data struct {
				Groups []struct {
					Name           string
					LastEvaluation time.Time
				}
			}
		}
		getJSON(t, "http://"+p.address+"/api/v1/rules?type=alert", &answer)
		for _, g := range answer.Data.Groups {
			if g.LastEvaluation.Before(until) {
				return fmt.Sprint(answer.Data.Groups), false
			}
		}
		return "", len(answer.Data.Groups) > 0
	})
}
