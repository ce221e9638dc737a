package dns

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// The other family is waited for at most 50 ms, and a twentieth of the time that is left.
func TestResolutionDelay(t *testing.T) {
	for _, row := range []struct{ timeout, want time.Duration }{
		{0, 50 * time.Millisecond}, // none
		{time.Minute, 50 * time.Millisecond},
		{time.Second, 50 * time.Millisecond},
		{200 * time.Millisecond, 10 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			if row.timeout > 0 {
				ctx, cancel = context.WithTimeout(ctx, row.timeout)
			}
			defer cancel()
			if got := delayOf(ctx); got != row.want {
				t.Errorf("delayOf(a context of %s) = %s, want %s", row.timeout, got, row.want)
			}
		})
	}
}
