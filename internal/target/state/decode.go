package state

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"errno_exporter/prober/result"
)

// Errors of Decode.
var (
	errVersion = errors.New("the counters have another version")
	errDecode  = errors.New("the counters are damaged")
)

// The most of what is decoded. A target fails in far fewer ways.
const (
	maxKinds = 10_000
	maxText  = 256
)

// Decode returns what Encode has appended. Times are moved to the clock of now, which has a monotonic reading, and none
// is later than it.
func Decode(from []byte, now time.Time) (*Totals, *Timeline, error) {
	if len(from) == 0 || from[0] != version {
		return nil, nil, errVersion
	}
	d := decoder{from: from[1:], now: now}
	t, l := NewTotals(), new(Timeline)
	t.decode(&d)
	l.decode(&d)
	if len(d.from) > 0 {
		d.failed = true
	}
	if d.failed {
		return nil, nil, errDecode
	}
	return t, l, nil
}

// decoder takes values. After a failure all are zero.
type decoder struct {
	from   []byte
	now    time.Time
	failed bool
}

func (d *decoder) fail() { d.failed, d.from = true, nil }

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.from) {
		d.fail()
		return make([]byte, min(max(n, 0), maxText))
	}
	taken := d.from[:n]
	d.from = d.from[n:]
	return taken
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.from)
	if size <= 0 {
		d.fail()
		return 0
	}
	d.from = d.from[size:]
	return n
}

func (d *decoder) signed() int64 {
	n, size := binary.Varint(d.from)
	if size <= 0 {
		d.fail()
		return 0
	}
	d.from = d.from[size:]
	return n
}

// count is a number of values, at most so many.
func (d *decoder) count(most int) int {
	n := d.number()
	if n > uint64(most) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) fraction() float64 { return math.Float64frombits(binary.BigEndian.Uint64(d.take(8))) }

// text is a name. It becomes a label: one that is not UTF-8 would be refused by every reader of the metrics.
func (d *decoder) text() string {
	s := string(d.take(d.count(maxText)))
	if !utf8.ValidString(s) {
		d.fail()
		return ""
	}
	return s
}

func (d *decoder) share() share { return share{d.number(), d.number()} }

func (d *decoder) kind() FailureKind { return FailureKind{d.text(), d.text(), d.text(), d.text()} }

func (d *decoder) record() (id ulid.ULID) {
	copy(id[:], d.take(len(id)))
	return id
}

// time is a time as if this process had taken it.
func (d *decoder) time() time.Time {
	n := d.signed()
	if n == 0 {
		return time.Time{}
	}
	return d.now.Add(-max(0, d.now.Sub(time.Unix(0, n))))
}

func (t *Totals) decode(d *decoder) {
	t.attempts, t.failed = d.number(), d.number()
	for range PhaseCount {
		d.number() // resets, which are among the failures
	}
	for range d.count(maxKinds) {
		kind := d.kind()
		t.setFailures(kind, failures{n: d.number(), record: d.record()})
	}
	if n := d.count(maxKinds); n > 0 {
		t.idle = map[IdleFailureKind]uint64{}
		for range n {
			kind := IdleFailureKind{Age: time.Duration(d.signed()), FailureKind: d.kind()}
			t.idle[kind] = d.number()
		}
	}
	for p := range placeOf(PhaseCount, 0) {
		if h := d.histogram(int(p / 2)); h != nil {
			t.durations.set(p, h)
		}
	}
	t.lastSuccess, t.lastFailure = d.time(), d.time()
}

func (d *decoder) histogram(phase int) *Histogram {
	n := d.count(mostBounds + 1)
	if n == 0 {
		return nil
	}
	h := newHistogram(phase)
	if n != len(h.Classic()) || d.number() != fingerprint(bounds[phase]) {
		d.fail()
		return nil
	}
	for i := range h.Classic() {
		h.Classic()[i] = d.number()
	}
	h.Sum = d.fraction()
	h.Schema = int32(d.signed())
	h.Zero = d.number()
	for range d.count(maxNative) {
		b := NativeBucket{Index: int16(d.signed()), Count: uint32(d.number())}
		if last := len(h.Native) - 1; last >= 0 && h.Native[last].Index >= b.Index {
			d.fail()
		}
		h.Native = append(h.Native, b)
	}
	if h.Schema > firstSchema || h.Schema < leastSchema || math.IsNaN(h.Sum) || math.IsInf(h.Sum, 0) {
		d.fail()
	}
	return h
}

// leastSchema is the coarsest resolution of native histograms.
const leastSchema = -4

func (l *Timeline) decode(d *decoder) {
	failures := 0
	for range d.count(MaxTicks) {
		t := d.tick()
		l.ticks.add(&t)
		if l.failed = t.Failure != nil; l.failed {
			failures++
		}
	}
	l.since = d.time()
	if d.count(1) == 1 {
		last := d.tick()
		l.last = &last
	}
	l.total = d.share()
	l.first = d.time()
	d.shares(&l.day, bucketCount)
	d.shares(&l.month, dayCount)
	if l.first.IsZero() != (l.ticks.n == 0) || l.last == nil && failures > 0 {
		d.fail()
	}
}

func (d *decoder) shares(s *shares, most int) {
	all := make([]bucket, d.count(most))
	for i := range all {
		all[i] = bucket{began: d.signed(), share: d.share()}
		if all[i].began < 0 {
			d.fail()
			return
		}
	}
	slices.SortFunc(all, func(a, b bucket) int { return cmp.Compare(a.began, b.began) })
	s.set(all, most)
}

func (d *decoder) tick() Tick {
	var t Tick
	t.Record = d.record()
	t.Ended = d.time()
	t.Elapsed = time.Duration(d.signed())
	for i := range t.Phases {
		t.Phases[i] = math.Float32frombits(binary.BigEndian.Uint32(d.take(4)))
	}
	t.Failure = d.failure()
	return t
}

func (d *decoder) failure() *result.Failure {
	phase := result.Phase(d.text())
	if phase == "" {
		return nil
	}
	f := &result.Failure{Phase: phase, Reason: result.Reason(d.text()), Errno: syscall.Errno(d.number()),
		Origin: result.Origin(d.text()), Check: result.Check(d.text()), Index: int(d.signed())}
	phases, reasons := 0, 0
	for _, row := range result.Phases {
		if row.Phase == phase {
			phases++
		}
	}
	for _, row := range result.Reasons {
		if row.Reason == f.Reason {
			reasons++
		}
	}
	if phases == 0 || reasons == 0 { // whose sentences it would be without
		d.fail()
	}
	return f
}
