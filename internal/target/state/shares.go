package state

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"time"
)

// Share is how many probes succeeded, of how many.
type Share struct{ Succeeded, Probes uint64 }

type share struct{ ok, failed uint64 }

// bucket is what was counted in one span of time.
type bucket struct {
	began int64 // in widths since the first result
	share
}

// shares are the last buckets of one width, without those in which there was nothing. All but the newest are packed:
// as uvarints by how much later each began than the one before, and its counts.
type shares struct {
	packed []byte
	n      int   // that are packed
	before int64 // when the one before the first began
	newest bucket
}

// count counts a result in a bucket, of which most are kept at most.
func (s *shares) count(began int64, result share, most int) {
	if began < s.newest.began { // it ended before another one that was counted first
		s.countEarlier(began, result, most)
		return
	}
	if began > s.newest.began {
		s.pack(most)
		s.newest = bucket{began: began}
	}
	s.newest.ok += result.ok
	s.newest.failed += result.failed
}

// pack packs the newest bucket.
func (s *shares) pack(most int) {
	if s.newest.share == (share{}) {
		return
	}
	if s.n == 0 {
		s.packed, s.before = s.packed[:0], 0
	}
	before := s.before
	for b := range s.older() {
		before = b.began
	}
	var room [3 * binary.MaxVarintLen64]byte
	b := binary.AppendUvarint(room[:0], uint64(s.newest.began-before))
	b = binary.AppendUvarint(b, s.newest.ok)
	s.packed = appendIn(s.packed, binary.AppendUvarint(b, s.newest.failed))
	s.n++
	if s.n >= most { // with the newest there would be too many
		r := reader{s.packed, 0}
		s.before += int64(r.next())
		r.next()
		r.next()
		s.packed = slices.Delete(s.packed, 0, r.at)
		s.n--
	}
}

// older are the buckets that are packed, the oldest first.
func (s *shares) older() iter.Seq[bucket] {
	return func(yield func(bucket) bool) {
		r, began := reader{s.packed, 0}, s.before
		for r.more() {
			began += int64(r.next())
			if !yield(bucket{began, share{r.next(), r.next()}}) {
				return
			}
		}
	}
}

// all are the buckets, the oldest first.
func (s *shares) all() iter.Seq[bucket] {
	return func(yield func(bucket) bool) {
		for b := range s.older() {
			if !yield(b) {
				return
			}
		}
		if s.newest.share != (share{}) {
			yield(s.newest)
		}
	}
}

// countEarlier counts a result in a bucket that began before the newest.
func (s *shares) countEarlier(began int64, result share, most int) {
	all := slices.Collect(s.all())
	at, found := slices.BinarySearchFunc(all, began,
		func(b bucket, began int64) int { return cmp.Compare(b.began, began) })
	if !found {
		all = slices.Insert(all, at, bucket{began: began})
	}
	all[at].ok += result.ok
	all[at].failed += result.failed
	s.set(all, most)
}

// set makes these the buckets, which are in order.
func (s *shares) set(all []bucket, most int) {
	*s = shares{packed: s.packed[:0]}
	for _, b := range all {
		s.count(b.began, b.share, most)
	}
}

// find is the share of the bucket that began at a time; of nothing if there is none.
func (s *shares) find(began int64) share {
	for b := range s.all() {
		if b.began == began {
			return b.share
		}
	}
	return share{}
}

// within adds up the buckets that begin within a span of time.
func (s *shares) within(width time.Duration, span [2]time.Duration) Share {
	var sum Share
	for b := range s.all() {
		if began := time.Duration(b.began) * width; began > span[0] && began <= span[1] {
			sum.Succeeded += b.ok
			sum.Probes += b.ok + b.failed
		}
	}
	return sum
}
