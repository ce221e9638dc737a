package observe

import (
	"testing"
	"time"
)

// What each connection has retransmitted counts once, for each of its targets, whatever the order of dumps and its end.
func TestTransmitted(t *testing.T) {
	of := []*tally{{}, {}}
	s := func(segments uint32, limited time.Duration) *sighting {
		return &sighting{info: tcpInfo{totalRetransmits: segments, windowLimited: limited}}
	}
	first, second, old := new(record), new(record), new(record)
	old.counted(s(100, time.Minute)) // it was there before it was observed
	for i, row := range []struct {
		record   *record
		seen     *sighting
		segments uint64
		limited  time.Duration
	}{
		{first, s(2, 0), 2, 0},
		{first, s(2, 0), 2, 0},
		{second, s(1, time.Second), 3, time.Second},
		{first, s(5, 1500*time.Millisecond), 6, 2500 * time.Millisecond},
		{old, s(101, time.Minute), 7, 2500 * time.Millisecond},
		{new(record), s(4, 0), 11, 2500 * time.Millisecond},       // its end is the first that is seen of it
		{first, s(0, 0), 11, 2500 * time.Millisecond},             // a kernel that has forgotten it
		{old, s(101, time.Minute+5*time.Millisecond), 11, 2505e6}, // finer than milliseconds it is not
	} {
		transmitted(row.record, row.seen, of)
		for _, one := range of {
			if one.last.Retransmitted != row.segments || one.last.WindowLimited != row.limited {
				t.Errorf("step %d: %d segments, limited for %v; want %d, %v", i, one.last.Retransmitted,
					one.last.WindowLimited, row.segments, row.limited)
			}
		}
	}
}
