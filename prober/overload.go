package prober

import (
	"context"
	"errors"
	"fmt"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// What the exporter itself is to blame for. Time in which a probe waits for something of ours (a slot, a file
// descriptor, the CPU for a handshake, the parsing of large bodies) is never the target's: a probe that failed for lack
// of it is local.overloaded.

// errNotStarted is the error of a probe that was wanted and never began.
var errNotStarted = errors.New("the exporter could not start or finish the probe before the scrape's deadline: see " +
	"errno_exporter_probes_not_started_total, " +
	"probe_policy.max_concurrent and the limit of file descriptors")

// NotStarted is the result of a probe that could not be started in the time that it was given. Nothing is known of the
// target.
func NotStarted(t Target, m *module.Module, timeout time.Duration) result.Result {
	f := &result.Failure{Phase: result.Resolve, Reason: result.LocalOverloaded, Origin: result.Local,
		Err: errNotStarted}
	url := m.MaskURL(t.URL)
	return result.Result{
		Target: t.named(), URL: url, Module: m.Name, Start: time.Now(), Timeout: timeout, Failure: f,
		Attempts: []result.Attempt{{Failure: f, Hops: []result.Hop{{URL: url,
			Spans: []result.Span{{Phase: result.Resolve, Failed: true}}}}}},
	}
}

// notChecked is the failure of a complete response that could not be checked in time: the target has done its part.
func notChecked(ctx context.Context, check result.Check, err error) *result.Failure {
	f := &result.Failure{Reason: result.LocalOverloaded, Origin: result.Local, Check: check,
		Err: fmt.Errorf("the deadline came before the exporter could check the body: %w", err)}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		f.Reason, f.Origin = result.Abandoned, result.Self
	}
	return f
}
