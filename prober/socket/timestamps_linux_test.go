package socket

import (
	"encoding/binary"
	"io"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The kernel timestamps what was requested of it: the sending and the acknowledgement of a request, or neither.
func TestRequestStamps(t *testing.T) {
	for _, row := range []struct {
		name               string
		request            func(*Recorder)
		sent, acknowledged bool
	}{
		{"nothing requested", func(*Recorder) {}, false, false},
		{"the acknowledgement", (*Recorder).StampAcknowledgement, false, true},
		{"the request", (*Recorder).StampRequest, true, true},
		{"the acknowledgement, and later the request", func(r *Recorder) {
			r.StampAcknowledgement()
			r.StampRequest()
		}, false, true},
		{"the handshake's flights, and later the request", func(r *Recorder) {
			r.StampFlights()
			r.StampRequest()
		}, true, true},
		{"the handshake's flights, and then nothing", func(r *Recorder) {
			r.StampFlights()
			r.StopStamping()
		}, false, false},
	} {
		r, peer := connection(t)
		row.request(r)
		answer := make(chan error, 1)
		go func() { // what it answers has the acknowledgement with it
			_, err := io.ReadFull(peer, make([]byte, 3))
			if err == nil {
				_, err = peer.Write([]byte("ok"))
			}
			answer <- err
		}()
		if _, err := r.Write([]byte("GET")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
		at := r.SentAt(r.Written())
		first, _ := r.FirstWrite()
		r.SetAcknowledged(r.Written(), first)
		after := r.Wire().Acknowledged
		if (at > 0) != row.sent || (after > 0) != row.acknowledged {
			t.Errorf("%s: sent after %s, acknowledged after %s more", row.name, at, after)
		}
		if last, _ := r.Times(); at > last {
			t.Errorf("%s: sent after %s, answered after %s", row.name, at, last)
		}
	}
}

// message is a control message.
func message(level, kind int32, data []byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	copy(b[unix.CmsgLen(0):], data)
	setLength(b, unix.CmsgLen(len(data)))
	at := unix.CmsgLen(0) - 8
	binary.NativeEndian.PutUint32(b[at:], uint32(level))
	binary.NativeEndian.PutUint32(b[at+4:], uint32(kind))
	return b
}

// setLength sets the length in a struct cmsghdr, which is as long as the system's size_t.
func setLength(b []byte, n int) {
	if unix.SizeofCmsghdr == 12 {
		binary.NativeEndian.PutUint32(b, uint32(n))
		return
	}
	binary.NativeEndian.PutUint64(b, uint64(n))
}

// timespec is a struct scm_timestamping's first time.
func timespec(seconds, nanoseconds uint64) []byte {
	b := binary.NativeEndian.AppendUint64(nil, seconds)
	return append(binary.NativeEndian.AppendUint64(b, nanoseconds), make([]byte, 32)...)
}

// extended is a struct sock_extended_err.
func extended(origin byte, info, data uint32) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.ENOMSG))
	b = binary.NativeEndian.AppendUint32(append(b, origin, 0, 0, 0), info)
	return binary.NativeEndian.AppendUint32(b, data)
}

// A timestamp from the error queue is parsed by its kind and its byte.
func TestParseStamp(t *testing.T) {
	at := message(unix.SOL_SOCKET, unix.SO_TIMESTAMPING, timespec(5, 7))
	for _, row := range []struct {
		name string
		oob  []byte
		want stamp
		ok   bool
	}{
		{"an acknowledgement", append(slices.Clone(at), message(unix.IPPROTO_IP, unix.IP_RECVERR,
			extended(unix.SO_EE_ORIGIN_TIMESTAMPING, 2, 41))...), stamp{41, time.Unix(5, 7), acknowledged}, true},
		{"a sending, over IPv6", append(slices.Clone(at), message(unix.IPPROTO_IPV6, unix.IPV6_RECVERR,
			extended(unix.SO_EE_ORIGIN_TIMESTAMPING, 0, 41))...), stamp{41, time.Unix(5, 7), sent}, true},
		{"of the newer kind", append(message(unix.SOL_SOCKET, unix.SO_TIMESTAMPING_NEW, timespec(5, 7)),
			message(unix.IPPROTO_IP, unix.IP_RECVERR, extended(unix.SO_EE_ORIGIN_TIMESTAMPING, 2, 1))...),
			stamp{1, time.Unix(5, 7), acknowledged}, true},
		{"without a time", message(unix.IPPROTO_IP, unix.IP_RECVERR, extended(unix.SO_EE_ORIGIN_TIMESTAMPING, 2, 41)),
			stamp{last: 41}, true},
		{"an ICMP message", message(unix.IPPROTO_IP, unix.IP_RECVERR, extended(unix.SO_EE_ORIGIN_ICMP, 0, 0)),
			stamp{}, false},
		{"half a header", make([]byte, unix.SizeofCmsghdr-1), stamp{}, false},
	} {
		if got, ok := parseStamp(row.oob); got != row.want || ok != row.ok {
			t.Errorf("%s: %+v, %t, want %+v, %t", row.name, got, ok, row.want, row.ok)
		}
	}
}
