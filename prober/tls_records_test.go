package prober

import (
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"errno_exporter/prober/flood"
)

// Records are counted by their headers, however they are cut into reads.
func TestTLSRecordsAreCounted(t *testing.T) {
	stream := []byte("\x16\x03\x03\x00\x02ab" + "\x17\x03\x03\x00\x00" + "\x17\x03\x03\x01\x00" +
		string(make([]byte, 256)) + "\x15\x03\x03\x00\x02")
	for size := 1; size <= len(stream); size++ {
		r, got := new(tlsRecords), int64(0)
		for rest := stream; len(rest) > 0; {
			n := min(size, len(rest))
			got, rest = got+r.count(rest[:n]), rest[n:]
		}
		if got != 4 {
			t.Errorf("%d records in pieces of %d bytes, want 4", got, size)
		}
	}
}

// A read ends where a record does while a response is awaited, and only then.
func TestReadSingly(t *testing.T) {
	const ticket, response = "\x17\x03\x03\x00\x02tt", "\x17\x03\x03\x00\x03rrr"
	for _, row := range []struct {
		name   string
		singly bool
		size   int // of the buffer
		want   []string
	}{
		{"awaited", true, 100, []string{ticket[:5], ticket[5:], response[:5], response[5:]}},
		{"awaited, with a small buffer", true, 4, []string{ticket[:4], ticket[4:5], ticket[5:], response[:4],
			response[4:5], response[5:]}},
		{"not awaited", false, 100, []string{ticket + response}},
	} {
		t.Run(row.name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			go func() {
				_, _ = io.WriteString(theirs, ticket+response) // what arrives is compared
				_ = theirs.Close()
			}()
			records := &tlsRecords{Conn: ours, budget: new(flood.Guard).Layer("", flood.FreeUnits, flood.UnitPrice)}
			if row.singly {
				records.readSingly()
			}
			var got []string
			for {
				buffer := make([]byte, row.size)
				n, err := records.Read(buffer)
				if err != nil {
					break
				}
				got = append(got, string(buffer[:n]))
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("read %q, want %q", got, row.want)
			}
		})
	}
}

// Not for more than a few records: a peer that sends many costs no more reads than before.
func TestReadSinglyEnds(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		_, _ = io.WriteString(theirs, strings.Repeat("\x17\x03\x03\x00\x01x", 100)) // what arrives is counted
		_ = theirs.Close()
	}()
	records := &tlsRecords{Conn: ours, budget: new(flood.Guard).Layer("", flood.FreeUnits, flood.UnitPrice)}
	records.readSingly()
	reads, bytes := 0, 0
	for buffer := make([]byte, 1000); ; reads++ {
		n, err := records.Read(buffer)
		if err != nil {
			break
		}
		bytes += n
	}
	if reads != singleReads+1 || bytes != 600 {
		t.Errorf("%d reads of %d bytes, want %d of 600", reads, bytes, singleReads+1)
	}
}
