package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// The columns of a record are its incident, its time, its target and its body; those of an incident are its begin, its
// end, when it was last written, its target and its body. Numbers have a fixed width and are big-endian; the target
// has its length before it, and the body its coding.

// The codings of a body.
const (
	plain = iota
	zstandard
	snappy // S2, a third of the CPU time: for the summaries of incidents, which are written and listed often
)

// maxBody is the size of a body in bytes.
const maxBody = 4 << 20

// The sizes in bytes from which bodies are compressed, and from which well.
const (
	worthCompressing = 256
	worthTime        = 4 << 10
)

// errCut is of a value that ends before its last column.
var errCut = errors.New("a stored value is cut off")

// codec compresses bodies. Its methods may be called by many goroutines.
type codec struct {
	to   *zstd.Encoder
	from *zstd.Decoder
}

func newCodec() (*codec, error) {
	to, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, err
	}
	from, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBody),
		zstd.WithDecoderLowmem(true))
	return &codec{to, from}, err
}

// append appends a body with its coding.
func (c *codec) append(to, body []byte) []byte {
	switch {
	case len(body) < worthCompressing:
		return append(append(to, plain), body...)
	case len(body) < worthTime:
		return append(append(to, snappy), s2.Encode(nil, body)...)
	}
	return c.to.EncodeAll(body, append(to, zstandard))
}

// body is a body without its coding, in memory of its own.
func (c *codec) body(coded []byte) ([]byte, error) {
	switch {
	case len(coded) == 0:
		return nil, errCut
	case coded[0] == plain:
		return append([]byte(nil), coded[1:]...), nil
	case coded[0] == zstandard:
		return c.from.DecodeAll(coded[1:], nil)
	case coded[0] == snappy:
		if n, err := s2.DecodedLen(coded[1:]); err != nil || n > maxBody {
			return nil, errCut
		}
		return s2.Decode(nil, coded[1:])
	}
	return nil, errors.New("a stored value has an unknown coding")
}

// recordColumns are the columns of a stored record; body is coded, and is the file's memory.
func recordColumns(id ID, value []byte) (r Record, body []byte, err error) {
	c := columns{left: value}
	r.ID = id
	copy(r.Incident[:], c.take(len(ID{})))
	r.At = c.time()
	r.Target = c.text()
	return r, c.left, c.err
}

// incidentColumns are the columns of a stored incident, and when it was written; body is as above.
func incidentColumns(id ID, value []byte) (i Incident, written time.Time, body []byte, err error) {
	c := columns{left: value}
	i.ID = id
	i.Begin, i.End, written = c.time(), c.time(), c.time()
	i.Target = c.text()
	return i, written, c.left, c.err
}

// columns are read one after another. After an error all are zero.
type columns struct {
	left []byte
	err  error
}

func (c *columns) take(n int) []byte {
	if c.err != nil || n < 0 || n > len(c.left) {
		c.err, c.left = errCut, nil
		return nil
	}
	taken := c.left[:n]
	c.left = c.left[n:]
	return taken
}

func (c *columns) time() time.Time {
	b := c.take(8)
	if b == nil {
		return time.Time{}
	}
	return timeOf(b)
}

func (c *columns) text() string {
	b := c.take(4)
	if b == nil {
		return ""
	}
	return string(c.take(int(int32(binary.BigEndian.Uint32(b)))))
}

// timeOf is a stored time; 0 is the zero time.
func timeOf(b []byte) time.Time {
	n := int64(binary.BigEndian.Uint64(b))
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

func appendTime(to []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.BigEndian.AppendUint64(to, 0)
	}
	return binary.BigEndian.AppendUint64(to, uint64(t.UnixNano())) // outlives the process, and so has no other clock
}

func appendText(to []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(to, uint32(len(text))), text...)
}

// indexKey is the key of an index: what is looked up, as eight bytes of a hash, and the ID. Whoever reads compares the
// target itself.
func indexKey(target string, id ID) []byte { return append(prefixOf(target), id[:]...) }

func prefixOf(target string) []byte {
	sum := sha256.Sum256([]byte(target))
	return sum[:8:8]
}
