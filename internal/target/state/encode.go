package state

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/prober/result"
)

// Counters and timelines are encoded so that they can go on after a restart. Numbers are varints (encoding/binary),
// texts have their length before them, and lists their number of values. What an exemplar or an error's text says is
// not stored: it may be secret.

// version is the version of the encoding. Any other is refused: the counters of that target begin again. It is raised
// whenever a field, a phase or their order changes.
const version = 1

// Encode appends the counters and the timeline of a target. Each is locked for as long as it is copied.
func Encode(to []byte, t *Totals, l *Timeline) []byte {
	e := encoder{append(to, version)}
	t.encode(&e)
	l.encode(&e)
	return e.to
}

// Changes is a number that rises with whatever is counted.
func (t *Totals) Changes() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.attempts
	for _, failed := range t.idle {
		n += failed
	}
	return n
}

// encoder appends values.
type encoder struct{ to []byte }

func (e *encoder) number(n uint64) { e.to = binary.AppendUvarint(e.to, n) }
func (e *encoder) signed(n int64)  { e.to = binary.AppendVarint(e.to, n) }
func (e *encoder) fraction(f float64) {
	e.to = binary.BigEndian.AppendUint64(e.to, math.Float64bits(f))
}
func (e *encoder) text(s string) { e.number(uint64(len(s))); e.to = append(e.to, s...) }
func (e *encoder) share(s share) { e.number(s.ok); e.number(s.failed) }
func (e *encoder) kind(k *FailureKind) {
	e.text(k.Errno)
	e.text(k.Origin)
	e.text(k.Phase)
	e.text(k.Reason)
}

func (e *encoder) record(id ulid.ULID) { e.to = append(e.to, id[:]...) }

// time appends a time of the system's clock: the monotonic one does not outlive the process.
func (e *encoder) time(t time.Time) {
	if t.IsZero() {
		e.signed(0)
		return
	}
	e.signed(t.UnixNano())
}

func (t *Totals) encode(e *encoder) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.number(t.attempts)
	e.number(t.failed)
	for _, n := range t.resets() {
		e.number(n)
	}
	e.number(uint64(len(t.failures)))
	for kind, f := range t.failures {
		e.kind(&kind)
		e.number(f.n)
		e.record(f.record)
	}
	e.number(uint64(len(t.idle)))
	for kind, n := range t.idle {
		e.signed(int64(kind.Age))
		e.kind(&kind.FailureKind)
		e.number(n)
	}
	for p := range placeOf(PhaseCount, 0) {
		if h := new(Histogram); t.durations.get(p, h) {
			h.encode(e)
		} else {
			e.number(0)
		}
	}
	e.time(t.lastSuccess)
	e.time(t.lastFailure)
}

// encode appends a histogram. In the place of one that has observed nothing there is a 0.
func (h *Histogram) encode(e *encoder) {
	e.number(uint64(len(h.Classic())))
	e.number(fingerprint(bounds[h.Phase]))
	for _, n := range h.Classic() {
		e.number(n)
	}
	e.fraction(h.Sum)
	e.signed(int64(h.Schema))
	e.number(h.Zero)
	e.number(uint64(len(h.Native)))
	for _, b := range h.Native {
		e.signed(int64(b.Index))
		e.number(uint64(b.Count))
	}
}

// fingerprint tells the bounds of classic buckets from others: those of another version of the program would give the
// counts another meaning.
func fingerprint(bounds []float64) uint64 {
	var n uint64
	for _, bound := range bounds {
		n = n*1_000_003 + math.Float64bits(bound)
	}
	return n
}

func (l *Timeline) encode(e *encoder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.number(uint64(l.ticks.n))
	for _, t := range l.ticks.all() {
		e.tick(&t)
	}
	e.time(l.since)
	if l.last == nil {
		e.number(0)
	} else {
		e.number(1)
		e.tick(l.last)
	}
	e.share(l.total)
	e.time(l.first)
	e.shares(&l.day)
	e.shares(&l.month)
}

// shares appends the buckets.
func (e *encoder) shares(s *shares) {
	all := slices.Collect(s.all())
	e.number(uint64(len(all)))
	for _, b := range all {
		e.signed(b.began)
		e.share(b.share)
	}
}

func (e *encoder) tick(t *Tick) {
	e.record(t.Record)
	e.time(t.Ended)
	e.signed(int64(t.Elapsed))
	for _, seconds := range t.Phases {
		e.to = binary.BigEndian.AppendUint32(e.to, math.Float32bits(seconds))
	}
	e.failure(t.Failure)
}

// failure appends a failure without its texts; nil as one without a phase.
func (e *encoder) failure(f *result.Failure) {
	if f == nil {
		e.text("")
		return
	}
	e.text(string(f.Phase))
	e.text(string(f.Reason))
	e.number(uint64(f.Errno))
	e.text(string(f.Origin))
	e.text(string(f.Check))
	e.signed(int64(f.Index))
}
