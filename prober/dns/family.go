package dns

import (
	"context"
	"time"
)

const (
	resolutionDelay = 50 * time.Millisecond
	delayShare      = 20 // at most a twentieth of the time that is left
)

// delayOf is how long the other family is waited for within a context.
func delayOf(ctx context.Context) time.Duration {
	at, ok := ctx.Deadline()
	if !ok {
		return resolutionDelay
	}
	return min(resolutionDelay, time.Until(at)/delayShare)
}
