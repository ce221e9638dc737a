package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
)

// A target that the exporter itself could not probe has all its samples, and they say who is to blame; nothing of it is
// counted.
func TestScrapeOfNotStarted(t *testing.T) {
	arrived := make(chan struct{}, 1)
	stalled := faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	server := serveText(t, "probe_policy: {max_concurrent: 1}\n"+labModule()+
		fmt.Sprintf("targets:\n  - {name: stalled, url: %q, module: api}\n  - {name: waits, url: %q, module: api}\n",
			stalled, stalled))
	var first sync.WaitGroup
	first.Go(func() {
		ask(t, http.MethodGet, server.URL+"/probe?target=stalled", http.Header{scrapeTimeoutHeader: {"2"}})
	})
	<-arrived // it has the slot
	got := ask(t, http.MethodGet, server.URL+"/metrics", http.Header{scrapeTimeoutHeader: {"1"}})
	first.Wait()
	want := []string{
		`probe_attempts_failed_total{target="waits"} 0`,
		`probe_failure_info{errno="",origin="local",phase="resolve",reason="local.overloaded",target="waits"} 1`,
		`probe_http_status_code{target="waits"} 0`,
		`probe_reliable{target="waits"} 0`,
		`probe_success{target="stalled"} 0`,
		`probe_success{target="waits"} 0`,
	}
	var missing []string
	for _, line := range want {
		if !strings.Contains(got.Body, "\n"+line+"\n") {
			missing = append(missing, line)
		}
	}
	if diff := cmp.Diff([]string(nil), missing); got.Status != http.StatusOK || diff != "" {
		t.Errorf("status %d, (-want +missing):\n%s\n%s", got.Status, diff, got.Body)
	}
	if strings.Contains(got.Body, `probe_failures_total{errno="",origin="local",phase="resolve",reason="local.overloaded"`) {
		t.Error("a probe that was not made is counted")
	}
}

// Somebody who scrapes without a timeout while a target stalls takes no sample from others.
func TestScrapeBesideOneWithoutTimeout(t *testing.T) {
	for _, row := range []struct {
		name    string
		claimed http.Header
	}{
		{"no header", http.Header{}},
		{"a day", http.Header{scrapeTimeoutHeader: {"86400"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			arrived, release := make(chan struct{}, 10), make(chan struct{})
			stalled := faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				arrived <- struct{}{}
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}))
			server := serveText(t, "modules: {api: {prober: http, http: {preferred_ip_protocol: ip4}}}\n"+
				fmt.Sprintf("targets:\n  - {name: a, url: %q, module: api}\n", stalled))
			var first sync.WaitGroup
			first.Go(func() { ask(t, http.MethodGet, server.URL+"/metrics", row.claimed) })
			<-arrived
			got := ask(t, http.MethodGet, server.URL+"/metrics", http.Header{scrapeTimeoutHeader: {"1"}})
			const want = "\n" + `probe_failure_info{errno="",origin="self",phase="processing",reason="http.response.timed_out",target="a"} 1` + "\n"
			if !strings.Contains(got.Body, want) || !strings.Contains(got.Body, "\nprobe_success{target=\"a\"} 0\n") {
				t.Errorf("the scrape has no%sin\n%s", want, got.Body)
			}
			close(release)
			first.Wait()
		})
	}
}

// deadlines notes when an answer has to be taken.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error { d.set = append(d.set, at); return nil }

// However long a probe may take, its answer has to be taken within a minute from when it is known.
func TestAnswerDeadline(t *testing.T) {
	server := serveText(t, labModule()+fmt.Sprintf("targets:\n  - {name: a, url: %q, module: api}\n",
		faultlab.Handler(t, faultlab.Healthy)))
	for _, path := range []string{"/metrics", "/probe?target=a", "/probe?target=a&debug=true",
		"/probe?target=http://127.0.0.1:1&module=api", "/probe?target=a&module=nosuch"} {
		t.Run(path, func(t *testing.T) {
			w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
			request := httptest.NewRequest(http.MethodGet, path, nil)
			request.Header.Set(scrapeTimeoutHeader, "100")
			began := time.Now()
			server.Config.Handler.ServeHTTP(w, request)
			if last := w.set[len(w.set)-1]; last.Before(began.Add(answerTimeout)) ||
				last.After(time.Now().Add(answerTimeout)) {
				t.Errorf("the answer has to be taken within %s, want %s", last.Sub(began), answerTimeout)
			}
		})
	}
}
