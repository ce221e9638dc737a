package flood

import (
	"testing"
	"testing/synctest"
	"time"
)

// What a layer may send for nothing: at once, for what it brings, with time, and for what it was sent.
func TestBudget(t *testing.T) {
	for _, row := range []struct {
		name    string
		granted int64         // bytes sent to the peer
		before  int64         // useful bytes before all
		units   int64         // at a time
		useful  int64         // bytes that they bring
		every   time.Duration // between two times
		times   int
		end     int // the time that ends it; 0 for none
	}{
		{"units that bring nothing", 0, 0, 1, 0, 0, 30_000, FreeUnits + 1},
		{"ten at a time", 0, 0, 10, 0, 0, 30_000, FreeUnits/10 + 1},
		{"units that bring half their price", 0, 0, 1, UnitPrice / 2, 0, 100_000, 2*FreeUnits + 1},
		{"units that bring their price", 0, 0, 1, UnitPrice, 0, 1_000_000, 0},
		{"useful bytes are not saved up", 0, 1 << 30, 1, 0, 0, 30_000, FreeUnits + 1},
		{"one byte a second, for a day", 0, 0, 1, 1, time.Second, 86_400, 0},
		{"a PING every ten milliseconds, for an hour", 0, 0, 1, 0, time.Second / unitsPerSecond, 3600 * unitsPerSecond,
			0},
		{"a PING every millisecond", 0, 0, 1, 0, time.Millisecond, 100_000, 22_223},
		{"after an upload of a MiB", 1 << 20, 0, 1, 0, 0, 30_000, FreeUnits + 4*1024 + 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stops, end := 0, 0
				g := &Guard{Stop: func() { stops++ }}
				layer, other := g.Layer("units", FreeUnits, UnitPrice), g.Layer("others", FreeUnits, UnitPrice)
				g.Grant(row.granted)
				_ = layer.Charge(0, row.before) // nothing was spent
				for n := 1; n <= row.times && end == 0; n++ {
					if layer.Charge(row.units, row.useful) != nil {
						end = n
					}
					time.Sleep(row.every)
				}
				if end != row.end || (g.Err() != nil) != (row.end != 0) || (stops == 1) != (row.end != 0) ||
					(other.Charge(0, 0) != nil) != (row.end != 0) {
					t.Errorf("ended at time %d, stopped %d times, want %d: %v", end, stops, row.end, g.Err())
				}
			})
		})
	}
}
