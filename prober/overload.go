package prober

import (
	"context"
	"errors"
	"fmt"
	"time"

	"errno_exporter/config"
)

// What the exporter itself is to blame for. Time in which a probe waits for something of ours (a slot, a file descriptor, the processor for a
// handshake, the judging of large bodies) is never the target's: a probe that failed for lack of it is local.overloaded.

// errNotStarted is the error of a probe that was wanted and never began.
var errNotStarted = errors.New("the exporter could not start or finish the probe before the scrape's deadline: see errno_exporter_probes_not_started_total, " +
	"probe_policy.max_concurrent and the limit of file descriptors")

// NotStarted is the result of a probe that could not be started in the time that it was given. Nothing is known of the target.
func NotStarted(t Target, m *config.Module, timeout time.Duration) Result {
	f := &Failure{Phase: Resolve, Reason: LocalOverloaded, Origin: Local, Err: errNotStarted}
	url := m.MaskURL(t.URL)
	return Result{
		Target: t, URL: url, Module: m.Name, Start: time.Now(), Timeout: timeout, Failure: f,
		Attempts: []Attempt{{Failure: f, Hops: []Hop{{URL: url, Spans: []Span{{Phase: Resolve, Failed: true}}}}}},
	}
}

// ShortenedBy notes that the exporter itself took so much of the time that the probe was meant to have. A failure by a deadline that came too soon
// is then the exporter's, and not the target's.
func (r *Result) ShortenedBy(waited time.Duration) {
	if waited <= (r.Timeout+waited)/shortened || !r.TimedOut() {
		return
	}
	f := *r.Failure
	f.Reason, f.Errno, f.Origin = LocalOverloaded, 0, Local
	f.Err = fmt.Errorf("the exporter took %s of the probe's time to wait for its own turn, and then: %w", waited.Round(time.Millisecond), cause(r.Failure))
	r.Failure = &f
	r.Last().Failure = &f
}

// shortened is the share of a probe's time that may be lost without a change of who is to blame: a tenth.
const shortened = 10

// TimedOut reports whether the probe failed by its own deadline.
func (r *Result) TimedOut() bool {
	f := r.Failure
	return f != nil && f.Reason != Abandoned && (f.Origin == Self || f.Origin == Kernel) && r.Elapsed >= r.Timeout-time.Millisecond
}

// cause is the error of a failure, never nil.
func cause(f *Failure) error {
	if f.Err != nil {
		return f.Err
	}
	return errors.New(f.Sentence())
}

// notJudged is the failure of a complete response that could not be judged in time: the target has done its part.
func notJudged(ctx context.Context, err error) *Failure {
	f := &Failure{Reason: LocalOverloaded, Origin: Local, Check: CheckCEL, Err: fmt.Errorf("the deadline came before the exporter could judge the body: %w", err)}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		f.Reason, f.Origin = Abandoned, Self
	}
	return f
}
