package result

import (
	"errors"
	"fmt"
	"time"
)

// ShortenedBy notes that the exporter itself took so much of the time that the probe was meant to have. A failure by a
// deadline that came too soon is then the exporter's, and not the target's.
func (r *Result) ShortenedBy(waited time.Duration) {
	if waited <= (r.Timeout+waited)/shortened || !r.TimedOut() {
		return
	}
	f := *r.Failure
	f.Reason, f.Errno, f.Origin = LocalOverloaded, 0, Local
	f.Err = fmt.Errorf("the exporter waited for %s of the probe's time for a slot, and then: %w",
		waited.Round(time.Millisecond), cause(r.Failure))
	r.Failure = &f
	r.Last().Failure = &f
}

// shortened is the share of a probe's time that may be lost before the failure counts as the exporter's: a tenth.
const shortened = 10

// TimedOut reports whether the probe failed by its own deadline.
func (r *Result) TimedOut() bool {
	f := r.Failure
	return f != nil && f.Reason != Abandoned && (f.Origin == Self || f.Origin == Kernel) &&
		r.Elapsed >= r.Timeout-time.Millisecond
}

// cause is the error of a failure, never nil.
func cause(f *Failure) error {
	if f.Err != nil {
		return f.Err
	}
	return errors.New(f.Sentence())
}
