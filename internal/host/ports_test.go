package host

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Ports are counted for a hundredth of the time, at least once a minute, and at once after a failure for want of one.
func TestPortsAreCountedSeldom(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for _, row := range []struct {
		name     string
		takes    time.Duration // a count
		failures []time.Duration
		want     []time.Duration // when they are counted, with a sample each five seconds for a minute and a half
	}{
		{"at each sample where it takes little", 50 * ms, nil, []time.Duration{0, 5 * s, 10 * s, 15 * s, 20 * s, 25 * s,
			30 * s, 35 * s, 40 * s, 45 * s, 50 * s, 55 * s, 60 * s, 65 * s, 70 * s, 75 * s, 80 * s, 85 * s}},
		{"for a hundredth of the time", 200 * ms, nil, []time.Duration{0, 20 * s, 40 * s, 60 * s, 80 * s}},
		{"once a minute", 4 * s, nil, []time.Duration{0, 60 * s}},
		{"after a failure", 200 * ms, []time.Duration{7 * s, 8 * s, 9200 * ms},
			[]time.Duration{0, 7 * s, 9200 * ms, 30 * s, 50 * s, 70 * s}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var counted []time.Duration
				sampler := Sampler{take: func() Record { return Record{At: time.Now()} }}
				sampler.ports.count = func() (int, int) {
					counted = append(counted, time.Since(began))
					time.Sleep(row.takes)
					return 100, len(counted)
				}
				sampled := row.failures
				for at := time.Duration(0); at < 90*s; at += 5 * s {
					sampled = append(sampled, at)
				}
				slices.Sort(sampled)
				for _, at := range sampled {
					time.Sleep(time.Until(began.Add(at)))
					r := sampler.sampleAt(time.Now(), slices.Contains(row.failures, at))
					if r.Ports != 100 || r.PortsUsed != len(counted) || r.PortsAt.Sub(began) != counted[len(counted)-1] {
						t.Errorf("at %s: %d of %d ports, counted at %s, want %d of 100 at %s", at, r.PortsUsed, r.Ports,
							r.PortsAt.Sub(began), len(counted), counted[len(counted)-1])
					}
				}
				if !slices.Equal(counted, row.want) {
					t.Errorf("counted at %s, want %s", counted, row.want)
				}
			})
		})
	}
}

// sampleAt is what a scrape has of a host, or a probe that found no port.
func (s *Sampler) sampleAt(at time.Time, failed bool) Record {
	if failed {
		return s.SampleSince(at)
	}
	return s.Sample()
}

// A failure whose time lies ahead, by a clock that was set back since, is one of now.
func TestFailureAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counts := 0
		sampler := Sampler{take: func() Record { return Record{At: time.Now()} }}
		sampler.ports.count = func() (int, int) { counts++; return 1, 1 }
		for range 2 {
			sampler.SampleSince(time.Now().Add(time.Hour))
		}
		if counts != 1 {
			t.Errorf("counted %d times at once, want once", counts)
		}
	})
}

func TestPortsUsed(t *testing.T) {
	table := filepath.Join(t.TempDir(), "tcp")
	text := "  sl  local_address rem_address   st tx_queue rx_queue\n" +
		"   0: 0100007F:9C40 0A0A0A0A:01BB 01 0\n   1: 0100007F:9C41 0A0A0A0A:01BB 06 0\n   2: 0100007F:9C42 " +
		"0B0A0A0A:01BB 01 0\n" +
		"   3: 0100007F:0050 0A0A0A0A:01BB 01 0\n   4: 00000000:9C43 00000000:0000 0A 0\nbroken\n"
	if err := os.WriteFile(table, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := portsUsed(40000, 50000, table, filepath.Join(t.TempDir(), "nosuch")); got != 2 {
		t.Errorf("portsUsed = %d, want 2: towards 10.10.10.10:443", got)
	}
}
