package prober_test

import (
	"encoding/binary"
	"strings"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/result"
)

// quicFrames is a server that sends packets of one kind of frame.
func quicFrames(more func(n uint64) string) func(faultlab.Host) string {
	return func(h faultlab.Host) string { h.Helper(); return faultlab.FloodOfQUICFrames(h, more) }
}

// sameFrame is a server that sends packets of the same frame.
func sameFrame(kind uint64, integers []uint64, rest string) func(faultlab.Host) string {
	frame := faultlab.QUICFrame(kind, integers, rest)
	return quicFrames(func(uint64) string { return frame })
}

// onePerPacket is a frame that fills its packet.
func onePerPacket(frame string) string { return frame + strings.Repeat("\x00", 1000) }

// Frames of packets that quic-go cannot be made to send (RFC 9000 section 19), each kind that a server may send and
// that needs no other one before it. The request is on stream 0.
func floodsOfQUIC() []fault {
	waiting := flooded(result.Processing)
	number := func(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
	newID := func(n, retire uint64) string {
		return faultlab.QUICFrame(0x18, []uint64{n, retire}, "\x08"+number(n)+number(n)+number(^n))
	}
	return []fault{
		{"QUIC: PADDING", sameFrame(0x00, nil, ""), overHTTP3, once, waiting},
		{"QUIC: PING", sameFrame(0x01, nil, ""), overHTTP3, once, waiting},
		{"QUIC: PING, one a packet", sameFrame(0x01, nil, onePerPacket("")), overHTTP3, once, waiting},
		{"QUIC: ACK", sameFrame(0x02, []uint64{0, 0, 0, 0}, ""), overHTTP3, once, waiting},
		{"QUIC: RESET_STREAM of a stream that is not there", sameFrame(0x04, []uint64{3, 0, 0}, ""), overHTTP3, once,
			waiting},
		{"QUIC: STOP_SENDING", sameFrame(0x05, []uint64{0, 0x10c}, ""), overHTTP3, once, waiting},
		{"QUIC: CRYPTO that repeats", sameFrame(0x06, []uint64{0, 1}, "\x04"), overHTTP3, once, waiting},
		{"QUIC: NEW_TOKEN", sameFrame(0x07, []uint64{1}, "t"), overHTTP3, once, waiting},
		{"QUIC: STREAM without data", sameFrame(0x0e, []uint64{0, 0, 0}, ""), overHTTP3, once, waiting},
		{"QUIC: MAX_DATA", quicFrames(func(n uint64) string {
			return faultlab.QUICFrame(0x10, []uint64{1<<30 + n}, "")
		}), overHTTP3, once, waiting},
		{"QUIC: MAX_STREAM_DATA", quicFrames(func(n uint64) string {
			return faultlab.QUICFrame(0x11, []uint64{0, 1<<30 + n}, "")
		}), overHTTP3, once, waiting},
		{"QUIC: MAX_STREAMS", quicFrames(func(n uint64) string {
			return faultlab.QUICFrame(0x12, []uint64{1<<20 + n}, "")
		}), overHTTP3, once, waiting},
		{"QUIC: DATA_BLOCKED", sameFrame(0x14, []uint64{1 << 20}, ""), overHTTP3, once, waiting},
		{"QUIC: STREAM_DATA_BLOCKED", sameFrame(0x15, []uint64{0, 1 << 20}, ""), overHTTP3, once, waiting},
		{"QUIC: STREAMS_BLOCKED", sameFrame(0x16, []uint64{1 << 10}, ""), overHTTP3, once, waiting},
		{"QUIC: NEW_CONNECTION_ID that repeats", quicFrames(func(uint64) string { return newID(10, 10) }), overHTTP3, once,
			waiting},
		{"QUIC: NEW_CONNECTION_ID that retires the one before", quicFrames(func(n uint64) string {
			return newID(n+10, n+10)
		}), overHTTP3, once,
			// quic-go may come to its own bound on answers that wait to be sent first
			append(flooded(result.Processing), outcome{result.Processing, result.QUICProtocolError, 0, result.Peer, ""})},
		{"QUIC: PATH_CHALLENGE", quicFrames(func(n uint64) string { return "\x1a" + number(n) }), overHTTP3, once, waiting},
		{"QUIC: HANDSHAKE_DONE", sameFrame(0x1e, nil, ""), overHTTP3, once, waiting},
	}
}

// Records of TLS 1.2, from the response on. In the handshake they come in clear: see floods.
func floodsOfTLS12() []fault {
	inBody := flooded(result.Transfer)
	records := func(serve func(faultlab.Host, byte, string) string, kind byte, content string) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return serve(h, kind, content) }
	}
	among, inARow := faultlab.FloodOfRecords12, faultlab.RecordsInARow12
	return []fault{
		{"TLS 1.2: warnings", records(among, faultlab.RecordAlert, faultlab.TLSWarning), asIs, once, inBody},
		{"TLS 1.2: warnings in a row", records(inARow, faultlab.RecordAlert, faultlab.TLSWarning), asIs, once,
			// crypto/tls reads an alert with the data before it
			append(flooded(result.Processing), inBody...)},
		{"TLS 1.2: empty records", records(among, faultlab.RecordData, ""), asIs, once, inBody},
		{"TLS 1.2: empty records in a row", records(inARow, faultlab.RecordData, ""), asIs, once, inBody},
		{"TLS 1.2: records of one byte", records(inARow, faultlab.RecordData, "x"), asIs, once, inBody},
		{"TLS 1.2: HelloRequests", records(among, faultlab.RecordHandshake, faultlab.TLSHelloRequest), asIs, once,
			// the first one is refused: this client does not negotiate again
			[]outcome{{result.Transfer, result.TLSProtocolError, 0, result.Peer, ""}}},
	}
}
