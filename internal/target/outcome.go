package target

import (
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
	"errno_exporter/internal/schedule"
	"errno_exporter/prober/result"
)

// Outcome is one probe that ended.
type Outcome struct {
	Result   *result.Result
	Ended    time.Time
	Reliable bool             // the durations, and the failure, are not the exporter's own
	Late     time.Duration    // by how much it was late while it probed, at the worst moment
	Record   ulid.ULID        // the ID of its record; zero if none is kept
	Allowed  time.Duration    // the longest that the probe might have taken
	Kernel   *counters.Around // what the kernel counted around a failure; nil where it was not read
	Callers  bool             // it is the caller's alone, and nothing of the target's: see usual

	// of the whole result, where Result is its summary and the verdict is made from it alone; else nil
	digest *cause.Digest
}

// Digest is the digest of the outcome.
func (o *Outcome) Digest() cause.Digest {
	if o.digest != nil {
		return *o.digest
	}
	return o.seen()
}

// seen is the digest of the result, with what the kernel counted.
func (o *Outcome) seen() cause.Digest {
	d := cause.DigestOf(o.Result, o.Late, o.Ended)
	d.Kernel = o.Kernel
	return d
}

// audience is to whom the outcome is passed on within min_interval: what failed with less time might have succeeded.
func (o *Outcome) audience() schedule.Audience {
	switch f := o.Result.Failure; {
	case f == nil:
		return schedule.Anyone
	case f.Reason == result.LocalOverloaded:
		return schedule.NoOne
	}
	return schedule.WithSameTime
}
