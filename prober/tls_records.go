package prober

import (
	"crypto/tls"
	"net"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/flood"
)

// tlsRecords is what a TLS connection is spoken over. Its incoming records are counted, by their headers alone (RFC
// 8446 section 5.1): tickets, key updates, warnings and empty records cost the same as those with data. crypto/tls
// itself ends sixteen of them in a row, but not one byte of data after each fifteenth.
type tlsRecords struct {
	net.Conn
	budget *flood.Budget
	head   [tlsRecordHeader]byte // of the record under way
	have   int                   // bytes of it
	rest   int                   // bytes of its content still to come
}

// tlsRecordHeader is the length of a record's type, version and length.
const tlsRecordHeader = 5

func (r *tlsRecords) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if records := r.count(p[:n]); records > 0 {
		if flood := r.budget.Charge(records, 0); flood != nil {
			return 0, flood
		}
	}
	return n, err
}

// count is how many records begin in the bytes.
func (r *tlsRecords) count(p []byte) (records int64) {
	for len(p) > 0 {
		if r.rest > 0 {
			take := min(r.rest, len(p))
			p, r.rest = p[take:], r.rest-take
			continue
		}
		took := copy(r.head[r.have:], p)
		p, r.have = p[took:], r.have+took
		if r.have == tlsRecordHeader {
			r.have, r.rest = 0, int(r.head[3])<<8|int(r.head[4])
			records++
		}
	}
	return records
}

// tlsConn is a TLS connection whose records are compared with what they bring.
type tlsConn struct {
	*tls.Conn
	records *flood.Budget
}

func (c *tlsConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if flood := c.records.Charge(0, int64(n)); flood != nil {
		return 0, flood
	}
	if err != nil && classify.UselessRecords(err) {
		return n, c.records.Overdraw()
	}
	return n, err
}
