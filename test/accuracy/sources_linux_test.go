package accuracy

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/bench"
	"errno_exporter/internal/target"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// burn burns a CPU for a part of every ten milliseconds, until its parent ends.
func burn(part time.Duration) {
	parent := os.Getppid()
	for os.Getppid() == parent {
		began := time.Now()
		for time.Since(began) < part {
		}
		time.Sleep(10*time.Millisecond - part) // the load itself
	}
	os.Exit(0)
}

// load burns both CPUs for a share in percent, until the test ends.
func load(t *testing.T, share int) {
	t.Helper()
	for range 2 {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), burner+"="+strconv.Itoa(share))
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	}
}

// ours probes at a rate, through a Watch, and reports by the connection.
func ours(t *testing.T, w *watch.Watch, m *module.Module, target string, n int,
	every time.Duration) map[Connection]reported {
	t.Helper()
	asked, err := prober.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex // guards reports
	reports := map[Connection]reported{}
	var probing sync.WaitGroup
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for range n {
		<-ticker.C
		probing.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			state, err := w.Probe(ctx, asked, m)
			o := state.Outcome
			if err != nil || o.Result.Failure != nil {
				t.Errorf("Probe(%s): %v, %+v", target, err, o)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			note(reports, o)
		})
	}
	probing.Wait()
	return reports
}

// note adds a report; a local address that is used again ended its earlier connection before.
func note(reports map[Connection]reported, o *target.Outcome) {
	hop := o.Result.Last().LastHop()
	r := reported{map[result.Phase]time.Duration{}, o.Reliable}
	for _, s := range hop.Spans {
		r.phases[s.Phase] = s.Duration
	}
	connection := Connection{Local: hop.Wire.Local}
	for ; ; connection.Use++ {
		if _, taken := reports[connection]; !taken {
			break
		}
	}
	reports[connection] = r
}

// blackbox probes by blackbox_exporter at a rate, each time with a path of its own, and reports by that.
func blackbox(t *testing.T, exporter, target string, n int, every time.Duration) map[string]reported {
	t.Helper()
	line := regexp.MustCompile(`(?m)^probe_http_duration_seconds\{phase="(connect|processing|transfer)"\} (\S+)$`)
	var mu sync.Mutex // guards reports
	reports := map[string]reported{}
	var probing sync.WaitGroup
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for i := range n {
		<-ticker.C
		probing.Go(func() {
			u := target + "?n=" + strconv.Itoa(i)
			response, err := http.Get(exporter + "/probe?module=http_2xx&target=" + url.QueryEscape(u))
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Error(err)
				return
			}
			r := reported{map[result.Phase]time.Duration{}, true}
			for _, found := range line.FindAllSubmatch(body, -1) {
				seconds, _ := strconv.ParseFloat(string(found[2]), 64)
				r.phases[result.Phase(found[1])] = time.Duration(seconds * 1e9)
			}
			parsed, _ := url.Parse(u)
			mu.Lock()
			defer mu.Unlock()
			reports[parsed.RequestURI()] = r
		})
	}
	probing.Wait()
	return reports
}

// startBlackbox starts Debian's blackbox_exporter; empty where there is none.
func startBlackbox(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("prometheus-blackbox-exporter")
	if err != nil {
		return ""
	}
	file := t.TempDir() + "/blackbox.yml"
	if err := os.WriteFile(file, []byte("modules: {http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}}\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	return "http://" + bench.Listening(t, exec.Command(path, "--config.file="+file, "--web.listen-address=127.0.0.1:0"))
}
