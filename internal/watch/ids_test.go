package watch

import (
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
)

// IDs sort in the order in which they were made, also within a millisecond and when the clock is set back; their time is
// the latest that was seen.
func TestIDsSort(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	i := newIDs()
	var before ulid.ULID
	for _, row := range []struct {
		name      string
		at, shows time.Duration // after noon
	}{
		{"the first", 0, 0},
		{"within the same millisecond", 300 * time.Microsecond, 0},
		{"a second later", time.Second, time.Second},
		{"the clock is set back by an hour", -time.Hour, time.Second},
		{"and goes on", time.Second - time.Hour, time.Second},
		{"until it is later again", 2 * time.Second, 2 * time.Second},
	} {
		id := i.at(noon.Add(row.at))
		if id.Compare(before) <= 0 || id.String() <= before.String() || !id.Timestamp().Equal(noon.Add(row.shows)) {
			t.Errorf("%s: %s of %s after %s, want a greater one of %s", row.name, id, id.Timestamp(), before,
				noon.Add(row.shows))
		}
		before = id
	}
}
