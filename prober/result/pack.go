package result

import (
	"encoding/binary"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"
)

// How the summary of a result becomes bytes, for who keeps one of each of many targets: of a probe that succeeded it
// takes a sixth of the memory. fields.go has what is packed. One function writes a value and reads it, so that neither
// can know of a field that the other does not.
//
// Numbers are varints (encoding/binary), texts and lists have their length before them, and what may be nil has a 0 or
// 1. The bytes are this process's own: their form may change with every version.

// Packed is the summary of a result as bytes.
type Packed struct {
	url    *url.URL
	start  time.Time // with its monotonic reading
	fields []byte
}

// perPacked is what a Packed takes in memory, in bytes, without its fields.
const perPacked = 56 + perAllocation

// Pack returns the summary as bytes; nil where there is more to it than an attempt that succeeded.
func (r *Result) Pack() *Packed {
	if !r.ordinary() {
		return nil
	}
	c := writers.Get().(*coder)
	defer writers.Put(c)
	c.bytes = c.bytes[:0]
	c.result(r)
	return &Packed{r.Target.URL, r.Start, slices.Clone(c.bytes)}
}

// writers are coders that write.
var writers = sync.Pool{New: func() any { return &coder{writes: true} }}

// Summary returns the summary that was packed. Each call makes another one.
func (p *Packed) Summary() *Result {
	r := &Result{Target: Target{URL: p.url}, Start: p.start}
	c := coder{bytes: p.fields}
	c.result(r)
	return r
}

// Size is about how many bytes of memory it takes.
func (p *Packed) Size() int { return perPacked + cap(p.fields) }

// coder appends values to bytes, or takes them from their beginning. Only then it changes them: what is packed may be
// shared.
type coder struct {
	bytes   []byte
	writes  bool
	scratch [32]byte
}

func number[N ~int | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64](c *coder, n *N) {
	if c.writes {
		c.bytes = binary.AppendVarint(c.bytes, int64(*n))
		return
	}
	v, size := binary.Varint(c.bytes)
	*n, c.bytes = N(v), c.bytes[size:]
}

func (c *coder) flag(b *bool) {
	n := 0
	if *b {
		n = 1
	}
	number(c, &n)
	if !c.writes {
		*b = n == 1
	}
}

func (c *coder) text(s *string) {
	n := len(*s)
	number(c, &n)
	if c.writes {
		c.bytes = append(c.bytes, *s...)
		return
	}
	*s = string(c.take(n))
}

// take takes so many bytes. The caller copies what it keeps.
func (c *coder) take(n int) []byte {
	taken := c.bytes[:n]
	c.bytes = c.bytes[n:]
	return taken
}

// list is a list, each element of which is coded by a function; an empty one is nil afterwards.
func list[E any](c *coder, all *[]E, each func(*coder, *E)) {
	n := len(*all)
	number(c, &n)
	if !c.writes && n > 0 {
		*all = make([]E, n)
	}
	for i := range *all {
		each(c, &(*all)[i])
	}
}

// optional is a value that may be nil.
func optional[E any](c *coder, p **E, code func(*coder, *E)) {
	known := *p != nil
	c.flag(&known)
	if !known {
		return
	}
	if !c.writes {
		*p = new(E)
	}
	code(c, *p)
}

// instant is a time of a certificate or a signed answer, which has no monotonic reading.
func (c *coder) instant(t *time.Time) {
	seconds, nanoseconds := t.Unix(), t.Nanosecond()
	number(c, &seconds)
	number(c, &nanoseconds)
	if !c.writes {
		*t = time.Unix(seconds, int64(nanoseconds)).UTC() // of seconds before the year 1 it is the zero time again
	}
}

func (c *coder) addr(a *netip.Addr) {
	var b []byte
	if c.writes {
		b, _ = a.AppendBinary(c.scratch[:0]) // which does not fail
	}
	c.binary(&b)
	if !c.writes {
		_ = a.UnmarshalBinary(b) // of what was marshalled
	}
}

func (c *coder) addrPort(a *netip.AddrPort) {
	addr, port := a.Addr(), a.Port()
	c.addr(&addr)
	number(c, &port)
	if !c.writes {
		*a = netip.AddrPortFrom(addr, port)
	}
}

func (c *coder) binary(b *[]byte) {
	n := len(*b)
	number(c, &n)
	if c.writes {
		c.bytes = append(c.bytes, *b...)
		return
	}
	*b = slices.Clone(c.take(n))
}
