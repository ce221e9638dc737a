package watch

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/metrics"
)

// A storm of reloads while two scrapers probe: no scrape lacks a target, no target is probed twice at once, and what is
// counted is what the server saw.
func TestReloadStorm(t *testing.T) {
	const targets, reloads = 10, 1000
	var asked, under [targets]atomic.Int64
	var twice atomic.Int64
	url := faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var i int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &i); err != nil {
			t.Errorf("%s: %v", r.URL, err)
			return
		}
		asked[i].Add(1)
		if under[i].Add(1) > 1 {
			twice.Add(1)
		}
		time.Sleep(5 * time.Millisecond) // the server's work: without it probes would hardly ever be under way
		under[i].Add(-1)
	}))
	text := "targets:\n"
	for i := range targets {
		text += item(fmt.Sprint(i), fmt.Sprint(url, i))
	}
	b := newTested(t, parse(t, text))
	go func() {
		for range b.ended {
		}
	}()
	over := make(chan struct{})
	var scraping sync.WaitGroup
	for range 2 {
		scraping.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				for _, s := range b.Scrape(t.Context(), 20*time.Second) {
					if s.Outcome == nil || s.Outcome.Result.Failure != nil {
						t.Errorf("target %s: outcome %+v, want a success", s.Target.Name, s.Outcome)
					}
				}
			}
		})
	}
	for range reloads {
		b.Apply(parse(t, text))
	}
	close(over)
	scraping.Wait()
	if n := twice.Load(); n != 0 {
		t.Errorf("%d times a target was probed while it was being probed", n)
	}
	for i, s := range b.Scrape(t.Context(), 20*time.Second) {
		e := metrics.NewExposition()
		e.Totals(s.Totals, metrics.Kept{})
		if want := fmt.Sprintf("\nprobe_attempts_total %d\n", asked[i].Load()); !strings.Contains(e.Text(), want) {
			t.Errorf("target %d: the server saw %d requests, counted were\n%s", i, asked[i].Load(), e.Text())
		}
	}
	close(b.ended)
}
