package web

import (
	"fmt"
	"strconv"
	"time"
)

// How long a probe may take.
//
//   - The deadline is the module's timeout or what Prometheus allows less the offset, whichever is sooner: the answer
//     must be with Prometheus before it gives up.
//   - A scrape timeout that is not larger than the offset is halved instead: a probe without any time would blame the
//     target.
//   - Without either it is unboundedTimeout; longestTimeout is the most.
//   - A header of 0, of less, or of NaN allows nothing in particular, as in blackbox_exporter: it is as if there
//     was none.

// scrapeTimeoutHeader is what Prometheus sends: its scrape timeout in seconds.
const scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// unboundedTimeout is for requests by hand and a module without a timeout.
const unboundedTimeout = 120 * time.Second

// longestTimeout bounds what a client may claim: it is longer than any scrape lasts, and no stranger holds a probe for
// longer.
const longestTimeout = 2 * time.Minute

// budget returns how long a probe may take, always more than zero. header is the value of scrapeTimeoutHeader, "" where
// there was none; module is the module's timeout, 0 for none. The error is for the client.
func budget(header string, module, offset time.Duration) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(header, 64)
	if header == "" || err == nil && !(seconds > 0) { // NaN is not
		if module > 0 {
			return module, nil
		}
		return unboundedTimeout, nil
	}
	if err != nil {
		return 0, fmt.Errorf(`header %s %q is not a timeout, want seconds as a number larger than 0 such as "10"`,
			scrapeTimeoutHeader, header)
	}
	allowed := scrapeBudget(duration(seconds), offset)
	if module > 0 {
		return min(module, allowed), nil
	}
	return allowed, nil
}

// scrapeBudget is what is left of a scrape for the probe.
func scrapeBudget(scrape, offset time.Duration) time.Duration {
	if scrape > offset {
		return scrape - offset
	}
	return max(scrape/2, 1)
}

// duration converts seconds, larger than 0, to at most longestTimeout.
func duration(seconds float64) time.Duration {
	if seconds >= longestTimeout.Seconds() {
		return longestTimeout
	}
	return time.Duration(seconds * float64(time.Second))
}
