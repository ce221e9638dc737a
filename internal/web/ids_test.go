package web

import (
	"sync/atomic"

	"github.com/oklog/ulid/v2"
)

// counted makes IDs that count up from 1, where a ULID's time and random bits would differ in each run.
func counted() func() ulid.ULID {
	var n atomic.Uint32
	return func() ulid.ULID { return ulid.ULID{15: byte(n.Add(1))} }
}

// id is the text of the nth of them.
func id(n byte) string { return ulid.ULID{15: n}.String() }
