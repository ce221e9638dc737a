package observe

import "net/netip"

// record is what is kept of a socket: 80 bytes.
type record struct {
	cookie        uint64
	received      uint64 // bytes
	first         moment
	closeWait     moment // since when it has been in CLOSE_WAIT
	gone          moment // when it was missed in a dump
	segments      uint32 // of data received
	retransmits   uint32 // segments, as counted
	windowLimited uint32 // in milliseconds, as counted
	local, remote [16]byte
	localPort     uint16
	remotePort    uint16
	state         state
	generation    uint8 // of the dump that saw it
	why           why
	container     place
}

// moment is a time in units of 10 ms since the observer was opened; 0 for none.
type moment uint32

// why are the counters that rose while a socket vanished.
type why uint8

const (
	whyReset   why = 1 << iota // EstabResets
	whyOthers                  // more often than this host closed with unread data or aborted
	whyTimeout                 // TCPAbortOnTimeout
	whySent                    // OutRsts
	whyClose                   // TCPAbortOnClose
	whyData                    // TCPAbortOnData
)

// why they are.
func (c counts) why() (w why) {
	for bit, is := range map[why]bool{whyReset: c.estabResets > 0, whyTimeout: c.abortOnTimeout > 0,
		whyOthers: c.estabResets > c.abortOnClose+c.abortOnData, whySent: c.resetsSent > 0,
		whyClose: c.abortOnClose > 0, whyData: c.abortOnData > 0} {
		if is {
			w |= bit
		}
	}
	return w
}

// counts are counters that have risen as much as is kept of it.
func (w why) counts() (c counts) {
	bit := func(of why) uint64 {
		if w&of != 0 {
			return 1
		}
		return 0
	}
	return counts{estabResets: bit(whyReset) + bit(whyClose)*bit(whyData) + bit(whyOthers), resetsSent: bit(whySent),
		abortOnClose: bit(whyClose), abortOnData: bit(whyData), abortOnTimeout: bit(whyTimeout)}
}

const chunk = 1024 // records

// table holds the sockets by their cookies: chunks of records, which are never moved, and an index with open addressing
// and linear probing.
type table struct {
	chunks [][]record
	free   []uint32 // places without a record
	index  []uint32 // place + 1; 0 for none
	count  int
	max    int
}

func newTable(max int) *table { return &table{index: make([]uint32, chunk), max: max} }

func (t *table) at(place uint32) *record { return &t.chunks[place/chunk][place%chunk] }

// home is where the search for a cookie begins. Cookies are consecutive numbers: Fibonacci hashing spreads them.
func (t *table) home(cookie uint64) uint32 {
	return uint32(cookie*0x9e3779b97f4a7c15>>32) & uint32(len(t.index)-1)
}

// slot is where a cookie is in the index, or would be.
func (t *table) slot(cookie uint64) uint32 {
	i := t.home(cookie)
	for t.index[i] != 0 && t.at(t.index[i]-1).cookie != cookie {
		i = (i + 1) & uint32(len(t.index)-1)
	}
	return i
}

// find is the record of a cookie; nil for none.
func (t *table) find(cookie uint64) *record {
	if place := t.index[t.slot(cookie)]; place != 0 {
		return t.at(place - 1)
	}
	return nil
}

// add makes a record, which is not there yet; nil if the table is full.
func (t *table) add(cookie uint64) *record {
	if t.count >= t.max {
		return nil
	}
	if t.count >= len(t.index)*3/4 {
		t.rehash(2 * len(t.index))
	}
	if len(t.free) == 0 {
		base := uint32(len(t.chunks) * chunk)
		t.chunks = append(t.chunks, make([]record, chunk))
		for i := uint32(chunk); i > 0; i-- {
			t.free = append(t.free, base+i-1)
		}
	}
	place := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.index[t.slot(cookie)] = place + 1
	t.count++
	r := t.at(place)
	*r = record{cookie: cookie}
	return r
}

func (t *table) rehash(size int) {
	old := t.index
	t.index = make([]uint32, size)
	for _, place := range old {
		if place != 0 {
			t.index[t.slot(t.at(place-1).cookie)] = place
		}
	}
}

// remove forgets a cookie. The records behind it move up, so that none of them is cut off from its home.
func (t *table) remove(cookie uint64) {
	mask := uint32(len(t.index) - 1)
	hole := t.slot(cookie)
	if t.index[hole] == 0 {
		return
	}
	place := t.index[hole] - 1
	for i := (hole + 1) & mask; t.index[i] != 0; i = (i + 1) & mask {
		if home := t.home(t.at(t.index[i] - 1).cookie); (i-home)&mask >= (i-hole)&mask {
			t.index[hole] = t.index[i]
			hole = i
		}
	}
	t.index[hole] = 0
	*t.at(place) = record{}
	t.free = append(t.free, place)
	t.count--
}

// each calls f with every record, which f may remove.
func (t *table) each(f func(*record)) {
	for _, c := range t.chunks {
		for i := range c {
			if c[i].cookie != 0 {
				f(&c[i])
			}
		}
	}
}

func (r *record) addresses() (local, remote netip.AddrPort) {
	return netip.AddrPortFrom(netip.AddrFrom16(r.local).Unmap(), r.localPort),
		netip.AddrPortFrom(netip.AddrFrom16(r.remote).Unmap(), r.remotePort)
}
