package target

import (
	"encoding/binary"
	"reflect"
	"slices"
	"sync"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/target/state"
)

// digests are the digests of a target's last probes, at most maxDigests. Those of probes that succeeded differ in a few
// numbers: each is kept as what it is like (like.go), with the differences, in about 25 bytes where a Digest takes
// 450.
type digests struct {
	packed []byte // of each, the oldest first, the place in likes, and the differences as varints (encoding/binary)
	n      int
	likes  []like
}

// growBy is by how many bytes the memory of digests grows.
const growBy = 64

// maxDigests is how many digests are kept; the place of a like is a byte.
const maxDigests = cause.Remembered

// add adds a digest. The oldest one goes where there are too many.
func (d *digests) add(seen *cause.Digest) {
	if d.n == maxDigests {
		d.drop()
	}
	at := d.place(seen)
	d.likes[at].n++
	var b [2 + 9*binary.MaxVarintLen64]byte
	b[0] = byte(at)
	other := d.likes[at].digest()
	more := differences(b[:1], seen, &other)
	if need := len(d.packed) + len(more); need > cap(d.packed) {
		d.packed = append(make([]byte, 0, need+growBy), d.packed...)
	}
	d.packed = append(d.packed, more...)
	d.n++
}

// place is the place of what a digest is like. It is itself where there is nothing else.
func (d *digests) place(seen *cause.Digest) int {
	if plain(seen) {
		for i := range d.likes {
			if l := &d.likes[i]; l.n > 0 && alike(seen, l.digest()) {
				return i
			}
		}
	}
	free := slices.IndexFunc(d.likes, func(l like) bool { return l.n == 0 })
	if free < 0 {
		free, d.likes = len(d.likes), append(d.likes, like{})
	}
	d.likes[free].set(seen)
	return free
}

// plain reports whether other digests may be like this one: nothing failed.
func plain(d *cause.Digest) bool {
	return d.Failure == nil && d.Failed == nil && d.Kernel == nil && d.Reset == nil && d.ICMP == nil
}

// alike reports whether a digest is another one but for the differences that are kept.
func alike(d *cause.Digest, other cause.Digest) bool {
	if !plain(&other) || !state.SameClock(other.At, d.At) {
		return false
	}
	two := pairs.Get().(*pair)
	defer pairs.Put(two)
	two[0], two[1] = *d, other
	d = &two[0]
	d.At = other.At
	for i, p := range numbers(&other) {
		*numbers(d)[i] = *p
	}
	for i, p := range flags(&other) {
		*flags(d)[i] = *p
	}
	d.Segments, d.Repeats = other.Segments, other.Repeats
	return reflect.DeepEqual(d, &two[1])
}

// pairs are of digests that are compared, which would be allocated for that otherwise.
var pairs = sync.Pool{New: func() any { return new(pair) }}

type pair [2]cause.Digest

// numbers are the numbers in which digests that are alike differ.
func numbers(d *cause.Digest) [6]*int64 {
	return [...]*int64{(*int64)(&d.Took), (*int64)(&d.Processing), (*int64)(&d.Timeout), (*int64)(&d.Late), &d.Received,
		&d.Sent}
}

// flags are what else they differ in: what has been acknowledged when a probe ends is different each time.
func flags(d *cause.Digest) [5]*bool {
	return [...]*bool{&d.Progress, &d.Lost, &d.Hole, &d.Delivered, &d.Arrived}
}

// differences appends what is different from a digest that is alike.
func differences(b []byte, d, other *cause.Digest) []byte {
	b = binary.AppendVarint(b, int64(d.At.Sub(other.At)))
	before := numbers(other)
	for i, p := range numbers(d) {
		b = binary.AppendVarint(b, *p-*before[i])
	}
	b = binary.AppendVarint(b, int64(d.Segments)-int64(other.Segments))
	b = binary.AppendVarint(b, int64(d.Repeats)-int64(other.Repeats))
	var bits byte
	for i, p := range flags(d) {
		if *p {
			bits |= 1 << i
		}
	}
	return append(b, bits)
}

// take takes the oldest digest from what is packed, and returns the place of what it is like, and the rest.
func (d *digests) take(packed []byte) (seen cause.Digest, place int, rest []byte) {
	place, rest = int(packed[0]), packed[1:]
	next := func() int64 {
		n, size := binary.Varint(rest)
		rest = rest[size:]
		return n
	}
	seen = d.likes[place].digest()
	seen.At = seen.At.Add(time.Duration(next()))
	for _, p := range numbers(&seen) {
		*p += next()
	}
	seen.Segments += uint32(next()) // or what it is less, modulo 2^32
	seen.Repeats += uint32(next())
	for i, p := range flags(&seen) {
		*p = rest[0]&(1<<i) != 0
	}
	return seen, place, rest[1:]
}

// all are the digests, the oldest first.
func (d *digests) all() []cause.Digest {
	all, packed := make([]cause.Digest, d.n), d.packed
	for i := range all {
		all[i], _, packed = d.take(packed)
	}
	return all
}

// drop takes the oldest one away.
func (d *digests) drop() {
	_, at, rest := d.take(d.packed)
	d.packed = slices.Delete(d.packed, 0, len(d.packed)-len(rest))
	d.n--
	d.likes[at].drop()
}

// fail reports whether there may be a failure among them.
func (d *digests) fail() bool {
	return slices.ContainsFunc(d.likes, func(l like) bool { return l.whole != nil && !plain(l.whole) })
}

// forgetKernels takes the kernel's counters from all failures but the newest ones.
func (d *digests) forgetKernels(newest int) {
	if !d.fail() {
		return
	}
	var places []int
	for packed := d.packed; len(packed) > 0; {
		var at int
		_, at, packed = d.take(packed)
		places = append(places, at)
	}
	for _, at := range slices.Backward(places) {
		if l := d.likes[at].whole; l != nil && l.Kernel != nil {
			if newest--; newest < 0 {
				l.Kernel = nil
			}
		}
	}
}

// size is about how many bytes of memory the digests take.
func (d *digests) size() int {
	n := cap(d.packed) + perLike*(cap(d.likes)-len(d.likes))
	for i := range d.likes {
		n += d.likes[i].size()
	}
	return n
}
