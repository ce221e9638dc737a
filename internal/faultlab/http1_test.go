package faultlab_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
)

const (
	ask    = "GET / HTTP/1.1\r\nHost: lab.test\r\n\r\n"
	length = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"
	chunk  = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n"
	some   = "some of the body"
	hints  = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	large  = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large"
)

// upload is the head of an upload of 64 MiB and its first 128 KiB.
var upload = "POST / HTTP/1.1\r\nHost: lab.test\r\nContent-Length: 67108864\r\n\r\n" + strings.Repeat("x", 128<<10)

type server func(faultlab.Host) string

func with[T any](serve func(faultlab.Host, T) string, value T) server {
	return func(h faultlab.Host) string { h.Helper(); return serve(h, value) }
}

func TestTCPAndHTTP1(t *testing.T) {
	for _, row := range []struct {
		name  string
		serve server
		send  string
		want  seen
	}{
		{"ClosedPort", faultlab.ClosedPort, "", seen{"", refused}},
		{"NeverAccepts", faultlab.NeverAccepts, "", seen{"", silence}},
		{"ResetOnAccept", faultlab.ResetOnAccept, "", seen{"", aborted}},
		{"CloseOnAccept", faultlab.CloseOnAccept, "", seen{"", closed}},
		{"Silent", faultlab.Silent, ask, seen{"", silence}},
		{"ResetAfterRequest", faultlab.ResetAfterRequest, ask, seen{"", aborted}},
		{"CloseWithUnreadRequest", faultlab.CloseWithUnreadRequest, ask, seen{"", aborted}},
		{"FinAfterRequest", faultlab.FinAfterRequest, ask, seen{"", closed}},
		{"ResetMidHead", with(faultlab.ResetMidHead, 20), ask, seen{length[:20], aborted}},
		{"FinMidHead", with(faultlab.FinMidHead, 20), ask, seen{length[:20], closed}},
		{"ResetMidBody", faultlab.ResetMidBody, ask, seen{length + some, aborted}},
		{"FinMidBody", faultlab.FinMidBody, ask, seen{length + some, closed}},
		{"ResetMidChunk", faultlab.ResetMidChunk, ask, seen{chunk + some, aborted}},
		{"FinMidChunk", faultlab.FinMidChunk, ask, seen{chunk + some, closed}},
		{"ResetMidBody10", faultlab.ResetMidBody10, ask, seen{"HTTP/1.0 200 OK\r\n\r\n" + some, aborted}},
		{"HTTP10", faultlab.HTTP10, ask, seen{"HTTP/1.0 200 OK\r\n\r\n" + some, closed}},
		{"FinEndsBody", faultlab.FinEndsBody, ask, seen{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + some, closed}},
		{"StallMidBody", faultlab.StallMidBody, ask, seen{length + some, silence}},
		{"InformationalThenReset", faultlab.InformationalThenReset, ask, seen{hints, aborted}},
		{"InformationalThenSilence", faultlab.InformationalThenSilence, ask,
			seen{"HTTP/1.1 100 Continue\r\n\r\n", silence}},
		{"Answer", with(faultlab.Answer, "anything\r\n"), ask, seen{"anything\r\n", silence}},
		{"GarbageGzip", faultlab.GarbageGzip, ask,
			seen{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 11\r\n\r\nnot gzipped", silence}},
		{"ResetMidUpload", faultlab.ResetMidUpload, upload, seen{"", aborted}},
		{"FinMidUpload", faultlab.FinMidUpload, upload, seen{"", closed}},
		{"RefusesUploadGently", faultlab.RefusesUploadGently, upload, seen{large, closed}},
		{"PlainHTTPOnTLSPortAlert", faultlab.PlainHTTPOnTLSPortAlert, ask,
			seen{"\x15\x03\x01\x00\x02\x02\x16", closed}},
		{"PlainHTTPOnTLSPortClosed", faultlab.PlainHTTPOnTLSPortClosed, ask, seen{"", closed}},
		{"PlainHTTPOnTLSPort", faultlab.PlainHTTPOnTLSPort, ask,
			seen{"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", closed}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			target := row.serve(t)
			if diff := cmp.Diff(row.want, converse(t, target, row.send, wait(row.want.End))); diff != "" {
				t.Errorf("converse(%s) (-want +got):\n%s", target, diff)
			}
		})
	}
}
