package prober

import (
	"context"
	"errors"
	"fmt"

	"errno_exporter/prober/result"
)

// What the exporter itself causes. Time in which a probe waits for something of ours (a slot, a file
// descriptor, the CPU for a handshake, the parsing of large bodies) is never the target's: a probe that failed for lack
// of it is local.overloaded.

// notChecked is the failure of a complete response that could not be checked in time: the target did not fail.
func notChecked(ctx context.Context, check result.Check, err error) *result.Failure {
	f := &result.Failure{Reason: result.LocalOverloaded, Origin: result.Local, Check: check,
		Err: fmt.Errorf("the deadline came before the exporter could check the body: %w", err)}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		f.Reason, f.Origin = result.Abandoned, result.Self
	}
	return f
}
