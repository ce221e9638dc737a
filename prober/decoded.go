package prober

import "bytes"

// How much memory a decoded body may take: a document of many small values takes dozens of times its size.
const (
	decodedRoom = 64 << 20
	decodedGain = 12 // times body_size_limit, where that is more
)

// What encoding/json makes of values, in bytes on 64 bits: what is appended to slices that double, and maps.
const (
	decodedValue  = 32
	decodedArray  = 32
	decodedObject = 320 // up to eight keys; more are values
)

// decodedSize estimates the memory that a document takes when it is decoded.
func decodedSize(body []byte) (size int64) {
	for len(body) > 0 {
		at := bytes.IndexAny(body, `"[{,:`)
		if at < 0 {
			break
		}
		switch body[at] {
		case '"':
			text := stringLength(body[at+1:])
			size, at = size+int64(text), at+1+text
		case '[':
			size += decodedArray + decodedValue
		case '{':
			size += decodedObject
		default:
			size += decodedValue
		}
		body = body[min(at+1, len(body)):]
	}
	return size
}

// stringLength is the length of the rest of a string, without the quote that ends it.
func stringLength(rest []byte) int {
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(rest)
}
