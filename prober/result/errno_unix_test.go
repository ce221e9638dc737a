//go:build unix

package result

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The names that the errno label shows are the system's own.
func TestErrnosAreNamedAsTheSystemNamesThem(t *testing.T) {
	for _, known := range errnos {
		if got := unix.ErrnoName(known.errno); got != known.name {
			t.Errorf("errno %d is %q here, the label says %q", int(known.errno), got, known.name)
		}
	}
}
