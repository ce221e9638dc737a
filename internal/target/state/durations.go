package state

import (
	"encoding/binary"
	"math"
	"slices"
)

// durations are the histograms of a target's phases in one piece of memory, so that ten thousand targets take the same
// after twenty probes as after two: a bucket takes two or three bytes, not a place of its own.
//
// It is a list of entries, each of which begins with its place and its length:
//
//	1 place: twice the index of the phase, and 1 if it failed
//	2 the length of what follows, big-endian
//	8 sum, as a float64, big-endian
//	1 schema
//	. observations of 0, and those of each classic bucket, as uvarints (encoding/binary)
//	. the native buckets: by how much the index is larger than the one before, and the count, as uvarints
type durations struct {
	packed    []byte
	exemplars map[place]*[mostBounds + 1]Exemplar // nil as long as no request had a trace ID
}

// place is the place of a histogram.
type place uint8

func placeOf(phase, outcome int) place { return place(2*phase + outcome) }

// Where an entry has what.
const (
	lengthAt = 1
	sumAt    = 3
	schemaAt = 11
	countsAt = 12
)

// beforeIndex is less than the index of any native bucket: the first one is as far from it as it says.
const beforeIndex = math.MinInt16 - 1

// growBy is by how many bytes the memory grows. Most targets never have more than the first.
const growBy = 64

// find is where the entry of a place begins; at the end if there is none.
func (d *durations) find(p place) int {
	at := 0
	for at < len(d.packed) && place(d.packed[at]) != p {
		at = d.end(at)
	}
	return at
}

// end is where an entry ends.
func (d *durations) end(at int) int {
	return at + sumAt + int(binary.BigEndian.Uint16(d.packed[at+lengthAt:]))
}

// splice replaces a part of an entry, and sets the entry's length.
func (d *durations) splice(entry int, part [2]int, by []byte) {
	more := len(by) - (part[1] - part[0])
	d.makeRoom(more)
	length := d.packed[entry+lengthAt:]
	binary.BigEndian.PutUint16(length, uint16(int(binary.BigEndian.Uint16(length))+more))
	d.packed = slices.Replace(d.packed, part[0], part[1], by...)
}

// makeRoom makes room for so many bytes more.
func (d *durations) makeRoom(more int) {
	if need := len(d.packed) + more; need > cap(d.packed) {
		d.packed = append(make([]byte, 0, (need+growBy-1)/growBy*growBy), d.packed...)
	}
}

// set makes the entry of a place a histogram without its exemplars.
func (d *durations) set(p place, h *Histogram) {
	at := d.find(p)
	if at == len(d.packed) {
		d.makeRoom(sumAt)
		d.packed = append(d.packed, byte(p), 0, 0)
	}
	var packed []byte
	packed = binary.BigEndian.AppendUint64(packed, math.Float64bits(h.Sum))
	packed = append(packed, byte(h.Schema))
	packed = binary.AppendUvarint(packed, h.Zero)
	for _, n := range h.Classic() {
		packed = binary.AppendUvarint(packed, n)
	}
	before := int64(beforeIndex)
	for _, b := range h.Native {
		packed = binary.AppendUvarint(packed, uint64(int64(b.Index)-before))
		packed = binary.AppendUvarint(packed, uint64(b.Count))
		before = int64(b.Index)
	}
	d.splice(at, [2]int{at + sumAt, d.end(at)}, packed)
}

// get makes h the histogram of a place, and reports whether there is one. The memory of h is used again.
func (d *durations) get(p place, h *Histogram) bool {
	at := d.find(p)
	if at == len(d.packed) {
		return false
	}
	d.unpack(at, h)
	return true
}

// unpack makes h the histogram of an entry. The memory of h is used again.
func (d *durations) unpack(at int, h *Histogram) {
	p, r := place(d.packed[at]), reader{d.packed[at:d.end(at)], countsAt}
	*h = Histogram{Phase: int8(p / 2), Native: h.Native[:0], Schema: int32(int8(r.of[schemaAt])),
		Sum: math.Float64frombits(binary.BigEndian.Uint64(r.of[sumAt:]))}
	h.Zero = r.next()
	for i := range h.Classic() {
		h.classic[i] = r.next()
	}
	index := int64(beforeIndex)
	for r.more() {
		index += int64(r.next())
		h.Native = append(h.Native, NativeBucket{Index: int16(index), Count: uint32(r.next())})
	}
	if x := d.exemplars[p]; x != nil {
		exemplars := *x
		h.exemplars = &exemplars
	}
}

// reader reads the numbers of an entry.
type reader struct {
	of []byte
	at int
}

func (r *reader) more() bool { return r.at < len(r.of) }

func (r *reader) next() uint64 {
	if n := r.of[r.at]; n < 0x80 { // nearly all
		r.at++
		return uint64(n)
	}
	n, size := binary.Uvarint(r.of[r.at:])
	r.at += size
	return n
}

// signed is the next number, which may be negative (binary.AppendVarint).
func (r *reader) signed() int64 {
	n := r.next()
	return int64(n>>1) ^ -int64(n&1)
}

func (r *reader) take(n int) []byte {
	r.at += n
	return r.of[r.at-n : r.at]
}

// observe counts a duration in seconds. The exemplar takes the place of its bucket's last one unless it has no trace
// ID.
func (d *durations) observe(p place, seconds float64, x Exemplar) {
	phase := int(p / 2)
	at := d.find(p)
	if at == len(d.packed) {
		d.set(p, newHistogram(phase))
	}
	classic, _ := slices.BinarySearch(bounds[phase], seconds)
	d.observeNative(at, len(bounds[phase])+1, seconds)
	r := reader{d.packed, at + countsAt}
	for range classic + 1 {
		r.next()
	}
	d.increment(at, r.at)
	sum := d.packed[at+sumAt:]
	binary.BigEndian.PutUint64(sum, math.Float64bits(math.Float64frombits(binary.BigEndian.Uint64(sum))+seconds))
	if x.TraceID != "" {
		if d.exemplars == nil {
			d.exemplars = map[place]*[mostBounds + 1]Exemplar{}
		}
		if d.exemplars[p] == nil {
			d.exemplars[p] = new([mostBounds + 1]Exemplar)
		}
		d.exemplars[p][classic] = x
	}
}

// increment adds 1 to a number of an entry.
func (d *durations) increment(entry, at int) {
	if d.packed[at] < 0x7f {
		d.packed[at]++
		return
	}
	var room [binary.MaxVarintLen64]byte
	n, size := binary.Uvarint(d.packed[at:])
	d.splice(entry, [2]int{at, at + size}, binary.AppendUvarint(room[:0], n+1))
}

// observeNative counts a duration in its native bucket, of an entry that has so many classic ones.
func (d *durations) observeNative(entry, classic int, seconds float64) {
	if seconds <= 0 {
		d.increment(entry, entry+countsAt)
		return
	}
	wanted := int64(nativeIndex(seconds, int32(int8(d.packed[entry+schemaAt]))))
	r := reader{d.packed[:d.end(entry)], entry + countsAt}
	for range 1 + classic {
		r.next()
	}
	index := int64(beforeIndex)
	for r.more() {
		from, before := r.at, index
		index += int64(r.next())
		if index == wanted {
			d.increment(entry, r.at)
			return
		}
		if index > wanted {
			d.insert(entry, [2]int{from, r.at}, wanted-before, index-wanted)
			return
		}
		r.next()
	}
	d.insert(entry, [2]int{r.at, r.at}, wanted-index, 0)
}

// insert makes a bucket in place of the difference of the next one, which is so much further; 0 if there is none.
func (d *durations) insert(entry int, part [2]int, difference, further int64) {
	var room [3 * binary.MaxVarintLen64]byte
	by := append(binary.AppendUvarint(room[:0], uint64(difference)), 1)
	if further > 0 {
		by = binary.AppendUvarint(by, uint64(further))
	}
	d.splice(entry, part, by)
	d.bound(entry)
}

// bound halves the resolution of an entry with too many native buckets.
func (d *durations) bound(entry int) {
	if d.end(entry)-entry < countsAt+2*maxNative { // each takes two bytes at least
		return
	}
	p, h := place(d.packed[entry]), new(Histogram)
	d.get(p, h)
	if len(h.Native) > maxNative {
		h.halve()
		d.set(p, h)
	}
}

// size is about how many bytes of memory the histograms take.
func (d *durations) size() int { return cap(d.packed) + exemplarBytes*len(d.exemplars) }
