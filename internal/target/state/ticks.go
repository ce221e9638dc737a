package state

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/prober/result"
)

// ticks are the last results of a target, at most MaxTicks, in one piece of memory: one that succeeded takes about 30
// bytes, where a Tick takes 96. Each is
//
//	1 flags
//	. when it ended, by how much later than the one before; and how long it took, in nanoseconds, as varints
//	. the record's ID: by how many milliseconds its time is later than the end, as a varint, and its other 10 bytes: how
//	  many of them are as in the ID before, and those that follow. IDs of one process have a beginning in common
//	2 which phases took time, and for each of them the nanoseconds, as a uvarint
type ticks struct {
	packed   []byte
	n        int
	before   tickBase          // of the one before the first
	newest   tickBase          // of the last one
	failures []*result.Failure // of those that failed, in their order
	times    []time.Time       // ends that are not told by the one before: the first, and those after the clock was set
}

// tickBase is what a tick is told from by the next one.
type tickBase struct {
	ended time.Time
	id    [len(ulid.ULID{}) - ulidTime]byte // of its record, or of the last one before it that has one
}

// The flags of a tick.
const (
	tickFailed   = 1 << iota
	tickRecorded // it has a record
	tickOwnTime  // it has its end in times
)

// ulidTime is how many bytes of an ID are its time.
const ulidTime = 6

// clockSlack is by how much a time of the system's clock may differ from what the monotonic clock makes of the one
// before.
const clockSlack = time.Millisecond

// SameClock reports whether nobody has set the system's clock between two times, so that either clock leads from one to
// the other.
func SameClock(a, b time.Time) bool {
	return (b.Round(0).Sub(a.Round(0)) - b.Sub(a)).Abs() <= clockSlack
}

// add adds a tick. The oldest one goes where there are too many.
func (k *ticks) add(t *Tick) {
	if k.n == MaxTicks {
		k.drop()
	}
	var room [128]byte
	flags, ended := byte(0), k.newest.ended.Add(t.Ended.Sub(k.newest.ended))
	if k.n == 0 || !SameClock(k.newest.ended, t.Ended) || !ended.Equal(t.Ended) {
		flags, ended = flags|tickOwnTime, t.Ended
		k.times = append(k.times, ended)
	}
	if t.Failure != nil {
		flags |= tickFailed
		k.failures = append(k.failures, t.Failure)
	}
	if t.Record != ulid.Zero {
		flags |= tickRecorded
	}
	b := append(room[:0], flags)
	if flags&tickOwnTime == 0 {
		b = binary.AppendVarint(b, int64(ended.Sub(k.newest.ended)))
	}
	b = binary.AppendVarint(b, int64(t.Elapsed))
	if flags&tickRecorded != 0 {
		b = binary.AppendVarint(b, int64(t.Record.Time())-ended.UnixMilli())
		b = appendID(b, &k.newest.id, t.Record[ulidTime:])
	}
	k.packed = appendIn(k.packed, appendPhases(b, &t.Phases))
	k.newest.ended = ended
	k.n++
}

// appendID appends an ID by how it differs from the one before, and makes it that.
func appendID(b []byte, before *[len(ulid.ULID{}) - ulidTime]byte, id []byte) []byte {
	same := 0
	for same < len(id) && id[same] == before[same] {
		same++
	}
	copy(before[:], id)
	return append(append(b, byte(same)), id[same:]...)
}

func appendPhases(b []byte, times *PhaseTimes) []byte {
	var which uint16
	for i, seconds := range times {
		if seconds != 0 {
			which |= 1 << i
		}
	}
	b = binary.BigEndian.AppendUint16(b, which)
	for _, seconds := range times {
		if seconds != 0 {
			b = binary.AppendUvarint(b, uint64(math.Round(float64(seconds)*1e9)))
		}
	}
	return b
}

// appendIn appends bytes to memory that grows by little.
func appendIn(to, more []byte) []byte {
	if need := len(to) + len(more); need > cap(to) {
		to = append(make([]byte, 0, (need+need/8+growBy-1)/growBy*growBy), to...)
	}
	return append(to, more...)
}

// tickReader reads ticks from the oldest on.
type tickReader struct {
	reader
	tickBase // of the last one
	failures []*result.Failure
	times    []time.Time
}

func (k *ticks) read() tickReader {
	return tickReader{reader{k.packed, 0}, k.before, k.failures, k.times}
}

func (r *tickReader) tick() (t Tick) {
	flags := r.take(1)[0]
	if flags&tickOwnTime != 0 {
		r.ended, r.times = r.times[0], r.times[1:]
	} else {
		r.ended = r.ended.Add(time.Duration(r.signed()))
	}
	t.Ended, t.Elapsed = r.ended, time.Duration(r.signed())
	if flags&tickFailed != 0 {
		t.Failure, r.failures = r.failures[0], r.failures[1:]
	}
	if flags&tickRecorded != 0 {
		_ = t.Record.SetTime(uint64(r.ended.UnixMilli() + r.signed())) // as it was
		same := r.take(1)[0]
		copy(r.id[same:], r.take(len(r.id)-int(same)))
		copy(t.Record[ulidTime:], r.id[:])
	}
	which := binary.BigEndian.Uint16(r.take(2))
	for i := range t.Phases {
		if which&(1<<i) != 0 {
			t.Phases[i] = float32(time.Duration(r.next()).Seconds())
		}
	}
	return t
}

// all are the ticks, the oldest first.
func (k *ticks) all() []Tick {
	all, r := make([]Tick, k.n), k.read()
	for i := range all {
		all[i] = r.tick()
	}
	return all
}

// drop takes the oldest one away.
func (k *ticks) drop() {
	r := k.read()
	r.tick()
	k.before = r.tickBase
	k.packed = slices.Delete(k.packed, 0, r.at)
	k.failures = slices.Delete(k.failures, 0, len(k.failures)-len(r.failures))
	k.times = slices.Delete(k.times, 0, len(k.times)-len(r.times))
	k.n--
}

// size is about how many bytes of memory the ticks take.
func (k *ticks) size() int {
	n := cap(k.packed) + 8*cap(k.failures) + 24*cap(k.times)
	for _, f := range k.failures {
		n += f.Size()
	}
	return n
}
