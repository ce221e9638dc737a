package prober

import "golang.org/x/net/http2"

// How many fields HTTP/2's field blocks have. net/http decodes a block into memory before it hands it over, bounded in
// bytes alone, so that the fields are counted before: their representations (RFC 7541 section 6) tell where each ends,
// without decoding any.

// fieldBlocks counts the fields of all HEADERS and CONTINUATION frames of a connection.
type fieldBlocks struct {
	fields  int
	part    fieldPart
	value   int  // of the integer under way
	shift   int  // of its next seven bits
	strings int  // literals that follow in the field
	length  bool // the integer is a literal's length
	skip    int  // bytes of the literal
	broken  bool // this is no HPACK: net/http will say so

	padded bool // the next byte is the padding's length
	before int  // bytes before the block's fragment
	left   int  // payload bytes to come
	pad    int  // of them padding
}

type fieldPart int

const (
	fieldStart   fieldPart = iota // a field's first byte
	fieldInteger                  // an integer's further bytes
	fieldLiteral                  // a literal's length
	fieldOctets                   // a literal's bytes
)

// begin begins the payload of a HEADERS or CONTINUATION frame (RFC 9113 sections 6.2 and 6.10).
func (b *fieldBlocks) begin(kind http2.FrameType, flags http2.Flags, length int) {
	b.left, b.before, b.pad, b.padded = length, 0, 0, false
	if kind != http2.FrameHeaders {
		return
	}
	b.padded = flags.Has(http2.FlagHeadersPadded)
	if flags.Has(http2.FlagHeadersPriority) {
		b.before = 5
	}
}

// watch follows bytes of the payload.
func (b *fieldBlocks) watch(p []byte) {
	for _, octet := range p {
		b.left--
		switch {
		case b.padded:
			b.pad, b.padded = int(octet), false
		case b.before > 0:
			b.before--
		case b.left >= b.pad && !b.broken:
			b.octet(octet)
		}
	}
}

func (b *fieldBlocks) octet(octet byte) {
	switch b.part {
	case fieldStart:
		b.represent(octet)
	case fieldInteger:
		if b.shift > 21 {
			b.broken = true
			return
		}
		b.value += int(octet&0x7f) << b.shift
		b.shift += 7
		if octet&0x80 == 0 {
			b.number()
		}
	case fieldLiteral:
		b.length = true
		b.prefix(octet, 7)
	case fieldOctets:
		if b.skip--; b.skip == 0 {
			b.next()
		}
	}
}

// represent reads a field's first byte.
func (b *fieldBlocks) represent(octet byte) {
	bits := 4 // a literal that is not indexed
	switch {
	case octet&0x80 != 0: // an indexed field
		b.fields, b.strings = b.fields+1, 0
		bits = 7
	case octet&0xc0 == 0x40: // a literal that is indexed
		bits = 6
		fallthrough
	case octet&0xe0 == 0:
		b.fields, b.strings = b.fields+1, 1
		if octet&(1<<bits-1) == 0 {
			b.strings = 2 // its name, too
		}
	default: // the table's size
		b.strings, bits = 0, 5
	}
	b.length = false
	b.prefix(octet, bits)
}

// prefix begins an integer (RFC 7541 section 5.1) with the low bits of an octet.
func (b *fieldBlocks) prefix(octet byte, bits int) {
	most := 1<<bits - 1
	b.value, b.shift, b.part = int(octet)&most, 0, fieldInteger
	if b.value < most {
		b.number()
	}
}

// number ends an integer.
func (b *fieldBlocks) number() {
	if b.length && b.value > 0 {
		b.skip, b.part = b.value, fieldOctets
		return
	}
	b.next()
}

// next goes on to the literal that follows, or to the next field.
func (b *fieldBlocks) next() {
	if b.length {
		b.strings--
	}
	b.length, b.part = false, fieldStart
	if b.strings > 0 {
		b.part = fieldLiteral
	}
}
