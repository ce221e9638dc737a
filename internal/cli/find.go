package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"errno_exporter/guard"
	"errno_exporter/internal/lifetime"
	"errno_exporter/internal/record"
	"errno_exporter/prober"
)

// findLifetime is the word for --keepalive that searches for how long idle connections live.
const findLifetime = "find"

const (
	longestSearch = time.Hour        // where --timeout does not bound it
	longestTried  = 15 * time.Minute // age; the module's keepalive max replaces it
)

// find searches for how long idle connections live, one trial after the other, and prints each and what follows. It
// ends with what is known by then when its time is over, or when it is interrupted.
func (s *session) find(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Timeout, longestSearch))
	defer cancel()
	most := cmp.Or(s.module.KeepaliveMax, longestTried)
	var search lifetime.Search
	for !search.Done(most) && ctx.Err() == nil {
		age := search.Next(most)
		t, err := s.try(ctx, age, search)
		s.progressf("")
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			s.printer.line("%-8s not tested: %s", record.Short(age), err)
			_ = s.out.Flush() // fails when the reader has gone
			return ExitFailed
		}
		search = search.Note(t)
		_ = s.out.Flush()
	}
	if !search.Done(most) {
		s.printer.line("the search ended before it was complete: a longer --timeout narrows this")
	}
	s.printer.line("%s", search)
	if search.Done(most) {
		return ExitOK
	}
	return ExitFailed
}

// try makes one trial and prints it.
func (s *session) try(ctx context.Context, age time.Duration, search lifetime.Search) (lifetime.Trial, error) {
	var t lifetime.Trial
	made, cancel := context.WithTimeout(ctx, cmp.Or(s.module.Timeout, defaultTimeout))
	defer cancel()
	conn, announced := s.prober.OpenIdle(made, s.target, s.module)
	if conn == nil && announced < 0 {
		return t, fmt.Errorf("the server closes the connection after each response")
	}
	if conn == nil {
		return t, fmt.Errorf("the request failed: run the probe without --keepalive first")
	}
	defer conn.Close()
	if !s.rest(ctx, conn, age, search) {
		return t, ctx.Err()
	}
	use, cancel := context.WithTimeout(ctx, cmp.Or(s.module.Timeout, defaultTimeout))
	defer cancel()
	r := conn.Probe(use)
	t, ok := lifetime.Of(age, &r)
	if !ok {
		return t, fmt.Errorf("%s", r.Failure.Sentence())
	}
	if ctx.Err() == nil {
		s.printer.Idle(age.Round(time.Millisecond), &r)
	}
	return t, nil
}

// rest waits for an age, and shows on a terminal what it waits for.
func (s *session) rest(ctx context.Context, conn *prober.IdleConn, age time.Duration, search lifetime.Search) bool {
	began, done := time.Now(), make(chan struct{})
	var showing guard.Group
	showing.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			s.progressf("idle for %s of %s; so far %s survived, %s died", time.Since(began).Round(time.Second),
				age.Round(time.Millisecond), search.Survived.Round(time.Millisecond),
				search.Died.Round(time.Millisecond))
			select {
			case <-ticker.C:
			case <-done:
				return
			}
		}
	})
	defer showing.Wait()
	defer close(done)
	return conn.Rest(ctx, age)
}
