package watch

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// ids makes the IDs of records: ULIDs (48 bits of Unix milliseconds, 80 random bits), each greater than the one before
// it, whoever sets the system's clock. It may be used by many goroutines.
type ids struct {
	mu      sync.Mutex // guards what follows
	entropy *ulid.MonotonicEntropy
	last    uint64 // Unix milliseconds of the last ID
}

func newIDs() *ids { return &ids{entropy: ulid.Monotonic(rand.Reader, 0)} }

// next is the ID of a record that is made now.
func (i *ids) next() ulid.ULID { return i.at(time.Now()) }

// at is the ID of a record that is made at a time.
func (i *ids) at(now time.Time) ulid.ULID {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.last = max(i.last, ulid.Timestamp(now))
	id, err := ulid.New(i.last, i.entropy)
	if err != nil { // the random part of this millisecond is used up; crypto/rand itself never fails
		i.last++
		id = ulid.MustNew(i.last, i.entropy)
	}
	return id
}
