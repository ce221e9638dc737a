package sidebyside

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"errno_exporter/config"
)

var update = flag.Bool("update", false, "write the list of differences instead of comparing it")

const (
	corpus      = "../../config/testdata/blackbox"
	differences = "testdata/differences.txt"
)

// newerFiles are files of the corpus with keys that Debian's version does not know yet.
var newerFiles = []string{"newer-keys.yml"}

// TestCorpusSideBySide: each http module of each file of the corpus gives the same series as blackbox_exporter's, and
// the servers see the same requests. What differs is listed in testdata/differences.txt, which -update writes.
func TestCorpusSideBySide(t *testing.T) {
	program, err := exec.LookPath("prometheus-blackbox-exporter")
	if err != nil {
		t.Skip("prometheus-blackbox-exporter is not installed: apt-get install prometheus-blackbox-exporter")
	}
	paths, err := filepath.Glob(corpus + "/*.yml")
	if err != nil || len(paths) < 40 {
		t.Fatalf("found %d files, %v", len(paths), err)
	}
	page := respond(http.StatusOK, "hello", "Content-Type", "text/plain")
	l := &lab{T: t, requests: new(requests)}
	targets := map[string]string{"http": l.plain(page), "https": l.secure(page, "h2", "http/1.1")}
	dir := t.TempDir()
	file := filepath.Join(dir, "blackbox.yml")
	for _, name := range []string{"password", "token"} { // which some of the files name
		install(t, filepath.Join(corpus, name), filepath.Join(dir, name))
	}
	install(t, paths[0], file)
	theirs := startPeer(t, program, file)
	var found []string
	for _, path := range paths {
		name := filepath.Base(path)
		if slices.Contains(newerFiles, name) {
			continue
		}
		install(t, path, file)
		reloadPeer(t, theirs)
		c, err := config.Load(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ours := startOurs(t, file)
		for _, module := range slices.Sorted(maps.Keys(c.Modules)) {
			for _, scheme := range []string{"http", "https"} {
				query := "/probe?target=" + url.QueryEscape(targets[scheme]) + "&module=" + url.QueryEscape(module)
				peer, peerSaw := scrape(t, theirs+query), comparable(l.requests.take())
				own, ownSaw := scrape(t, ours+query), comparable(l.requests.take())
				title := fmt.Sprintf("%s %q %s", name, module, scheme)
				found = append(found, differing(title, peer, own)...)
				if diff := gocmp.Diff(peerSaw, ownSaw); diff != "" {
					t.Errorf("%s: the server saw something else (-blackbox_exporter +errno_exporter):\n%s", title, diff)
				}
			}
		}
	}
	compareDifferences(t, found)
}

// differing are the series that differ otherwise than as durations of phases do.
func differing(title string, peer, own series) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(peer)) {
		want := peer[name]
		got, ok := own[name]
		duration := strings.Contains(name, "duration_seconds") || strings.Contains(name, "lookup_time_seconds")
		switch {
		case !ok && strings.HasPrefix(name, "probe_http_duration_seconds{") && want == 0:
			// a phase that never began has no series
		case !ok && duration:
			lines = append(lines, fmt.Sprintf("%s: %s is absent", title, name))
		case !ok:
			lines = append(lines, fmt.Sprintf("%s: %s is absent, there %v", title, name, want))
		case got != want && !duration:
			lines = append(lines, fmt.Sprintf("%s: %s is %v, there %v", title, name, got, want))
		}
	}
	return lines
}

func compareDifferences(t *testing.T, found []string) {
	t.Helper()
	got := cmp.Or(strings.Join(found, "\n"), "none") + "\n"
	if *update {
		if err := os.WriteFile(differences, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(differences)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("other series differ than %s lists (-listed +found):\n%s", differences, diff)
	}
}

func install(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func reloadPeer(t *testing.T, peer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, peer+"/-/reload", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("reload of blackbox_exporter: %s", response.Status)
	}
}
