package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"errno_exporter/guard"
)

// parseAges reads ages such as "30s,5m".
func parseAges(text string) ([]time.Duration, error) {
	if text == "" || text == findLifetime {
		return nil, nil
	}
	var ages []time.Duration
	for item := range strings.SplitSeq(text, ",") {
		age, err := time.ParseDuration(strings.TrimSpace(item))
		if err != nil || age <= 0 {
			return nil, fmt.Errorf("--keepalive %q: %q is not a duration, want durations such as 30s,5m, or find", text, item)
		}
		ages = append(ages, age)
	}
	return ages, nil
}

// testIdle leaves a connection idle for each age, all at once, and prints what becomes of each.
func (s *session) testIdle(ctx context.Context, ages []time.Duration) int {
	var mu sync.Mutex // guards failed and the printer
	failed := false
	var testing guard.Group
	for _, age := range ages {
		testing.Go(func() {
			ok := s.testIdleFor(ctx, age, func(print func()) {
				mu.Lock()
				defer mu.Unlock()
				s.progressf("")
				print()
				_ = s.out.Flush() // fails when the reader has gone
			})
			mu.Lock()
			defer mu.Unlock()
			failed = failed || !ok
		})
	}
	done := make(chan struct{})
	var waiting guard.Group
	waiting.Go(func() { defer close(done); testing.Wait() })
	s.countdown(ages, done, &mu)
	waiting.Wait()
	if failed {
		return ExitFailed
	}
	return ExitOK
}

// countdown shows on a terminal how long the connections have been idle, and when the next one is used.
func (s *session) countdown(ages []time.Duration, done <-chan struct{}, mu *sync.Mutex) {
	began := time.Now()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			s.progressf("")
			return
		case <-ticker.C:
			mu.Lock()
			for _, age := range ages {
				if left := age - time.Since(began); left > 0 {
					s.progressf("idle for %s, the next use is in %s", time.Since(began).Round(time.Second),
						left.Round(time.Second))
					break
				}
			}
			mu.Unlock()
		}
	}
}

// testIdleFor leaves one connection idle for an age, or until it ends, and reports whether it then served a request.
func (s *session) testIdleFor(ctx context.Context, age time.Duration, print func(func())) bool {
	made, cancel := context.WithTimeout(ctx, s.requestTimeout())
	defer cancel()
	conn, announced := s.prober.OpenIdle(made, s.target, s.module)
	if conn == nil {
		why := "the request failed: run the probe without --keepalive first"
		if announced < 0 {
			why = "the server closes the connection after each response"
		}
		print(func() { s.printer.line("%-8s not tested: %s", age, why) })
		return false
	}
	defer conn.Close()
	if announced > 0 {
		print(func() {
			s.printer.line("%-8s the server announces an idle timeout of %s", age, announced)
		})
	}
	if !conn.Rest(ctx, age) {
		return false
	}
	use, cancel := context.WithTimeout(ctx, s.requestTimeout())
	defer cancel()
	r := conn.Probe(use)
	print(func() { s.printer.Idle(age, &r) })
	return r.Failure == nil
}

// requestTimeout bounds one request of a test of idle connections.
func (s *session) requestTimeout() time.Duration {
	return cmp.Or(s.Timeout, s.module.Timeout, defaultTimeout)
}
