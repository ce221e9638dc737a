package prober_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// The kernel tells when the request was acknowledged: long before an application that takes its time has answered. That
// of a large upload, and of a large head, is not requested: its report on a socket that takes no more would end the
// probe.
func TestAcknowledged(t *testing.T) {
	const delay = 100 * time.Millisecond
	p := prober.New(prober.Options{})
	slow := faultlab.Slow(t, delay, 0, func(faultlab.Times) {})
	for _, row := range []struct {
		name       string
		body, head int
		told       bool
	}{
		{"GET", 0, 0, true}, {"a small upload", 1000, 0, true}, {"a large upload", 1 << 20, 0, false},
		{"a large header", 0, 60 << 10, false},
	} {
		m := labModule()
		m.Header = http.Header{"X-Filler": {strings.Repeat("x", row.head)}}
		if row.body > 0 {
			m.Method, m.Body = "POST", make([]byte, row.body)
		}
		r := probe(t, p, slow, m)
		w := r.Last().LastHop().Wire
		if r.Failure != nil || !w.KernelTimes {
			t.Fatalf("%s: %+v, the kernel's times %t", row.name, r.Failure, w.KernelTimes)
		}
		if (w.Acknowledged > 0) != row.told || w.Acknowledged >= delay {
			t.Errorf("%s: acknowledged after %s, want told %t, within %s", row.name, w.Acknowledged, row.told, delay)
		}
		if processing, _ := r.Last().LastHop().Span(result.Processing); processing.Duration < delay {
			t.Errorf("%s: processing took %s, the server %s", row.name, processing.Duration, delay)
		}
	}
}
