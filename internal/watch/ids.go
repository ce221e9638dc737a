package watch

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// ids makes the IDs of records: ULIDs (48 bits of Unix milliseconds, 80 other bits), each greater than the one before
// it, whoever sets the system's clock. The other bits begin at random and count on, so that those of one process have
// most of them in common and take little memory. It may be used by many goroutines.
type ids struct {
	mu   sync.Mutex // guards what follows
	last ulid.ULID
}

func newIDs() *ids {
	i := new(ids)
	_, _ = rand.Read(i.last[6:]) // never fails
	i.last[6] &= 0x7f            // so that they never begin again
	return i
}

// next is the ID of a record that is made now.
func (i *ids) next() ulid.ULID { return i.at(time.Now()) }

// at is the ID of a record that is made at a time.
func (i *ids) at(now time.Time) ulid.ULID {
	i.mu.Lock()
	defer i.mu.Unlock()
	_ = i.last.SetTime(max(i.last.Time(), ulid.Timestamp(now))) // fails only after the year 10889
	for at := len(i.last) - 1; ; at-- {
		if i.last[at]++; i.last[at] != 0 {
			return i.last
		}
	}
}
