package result

import (
	"time"
)

// IdleResult is what became of an idle connection: how it ended while it idled, or how it served the next request.
type IdleResult struct {
	Idle    time.Duration // how long it was idle when it was used again, or when its end came
	Used    bool          // it was used again; otherwise its end came before
	Attempt Attempt       // the request on it; of one that ended before, its hop is the connection's
	Failure *Failure      // nil if it served the request
	Ended   time.Time     // when this became known
}
