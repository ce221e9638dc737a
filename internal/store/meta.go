package store

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
)

// The two meta pages of a bbolt file, as go.etcd.io/bbolt/internal/common/meta.go writes them after a page's header, in
// the byte order of the machine. Of those that are whole the one with the higher transaction counts.
const (
	pageHeader  = 16
	metaSize    = 64
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	minPage     = 1 << 10
	maxPage     = 1 << 16
)

// meta is what a meta page says.
type meta struct {
	page, pages int64 // size of one, and number
	transaction uint64
}

// bytes is how long the file has to be.
func (m meta) bytes() int64 { return m.page * m.pages }

var (
	errNoStore = errors.New("is not a store of errno_exporter")
	errDamaged = errors.New("is damaged")
)

// readMeta reads the meta page that counts. bbolt maps the file without a look at its length: the pages of one that is
// cut off would be read beyond its end.
func readMeta(from io.ReaderAt) (meta, error) {
	var best meta
	isStore := false
	buffer := make([]byte, pageHeader+metaSize)
	for at := int64(0); at <= maxPage; at = max(minPage, 2*at) { // the second page is where the first one ends
		if n, err := from.ReadAt(buffer, at); n < len(buffer) {
			if err != io.EOF {
				return meta{}, err
			}
			break
		}
		found, is, whole := parseMeta(buffer[pageHeader:])
		isStore = isStore || is && at == 0
		if whole && (at == 0 || found.page == at) && (best.pages == 0 || found.transaction > best.transaction) {
			best = found
		}
	}
	switch {
	case best.pages > 0:
		return best, nil
	case isStore:
		return meta{}, errDamaged
	}
	return meta{}, errNoStore
}

// parseMeta parses a meta page: whether it is one, and whether it is whole.
func parseMeta(b []byte) (m meta, is, whole bool) {
	order := binary.NativeEndian
	if order.Uint32(b) != metaMagic || order.Uint32(b[4:]) != metaVersion {
		return meta{}, false, false
	}
	sum := fnv.New64a()
	sum.Write(b[:metaSize-8])
	m = meta{page: int64(order.Uint32(b[8:])), pages: int64(order.Uint64(b[40:])), transaction: order.Uint64(b[48:])}
	whole = order.Uint64(b[56:]) == sum.Sum64() && m.page >= minPage && m.page <= maxPage &&
		m.pages > 0 && m.pages < 1<<40
	return m, true, whole
}
