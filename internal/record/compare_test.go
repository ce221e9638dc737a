package record

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// What differs is marked; what a response never has twice, what neither has, and the jitter of durations is not.
func TestCompare(t *testing.T) {
	probe := func(change func(*result.Result, *result.Hop)) *result.Result {
		r := resulttest.HTTPSuccess()
		h := &result.Hop{URL: "http://api.example.com/", Addr: netip.MustParseAddrPort("192.0.2.7:80"),
			Answers: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("192.0.2.8")},
			Lookup:  &result.Lookup{Exchanges: []result.DNSExchange{{Server: "192.0.2.53:53"}, {Server: "192.0.2.53:53"}}},
			Wire: &result.Wire{Local: netip.MustParseAddrPort("10.0.0.7:40001"),
				Info: &result.TCPInfo{RTT: 10 * time.Millisecond, SndMSS: 1448, PMTU: 1500}},
			Spans: []result.Span{{Phase: result.Connect, Duration: 10 * time.Millisecond}},
			Response: &result.Response{Proto: "HTTP/1.1", StatusText: "200 OK", Header: http.Header{"Date": {"1"},
				"Server": {"nginx"}, "X-Request-Id": {"a"}, "Location": {"/a?token=hunter2"}}}}
		change(&r, h)
		r.Attempts = []result.Attempt{{Hops: []result.Hop{*h}}}
		return &r
	}
	before := probe(func(*result.Result, *result.Hop) {})
	same := func(name, value string) Difference { return Difference{name, value, value, false} }
	for _, row := range []struct {
		name   string
		change func(*result.Result, *result.Hop)
		want   []Difference
	}{
		{"nothing but what always does", func(_ *result.Result, h *result.Hop) {
			h.Answers = []netip.Addr{h.Answers[1], h.Answers[0]}
			h.Wire.Local, h.Wire.Info.RTT = netip.MustParseAddrPort("10.0.0.7:40002"), 15*time.Millisecond
			h.Response.Header["Date"], h.Response.Header["X-Request-Id"] = []string{"2"}, []string{"b"}
		}, []Difference{same("result", "success"), same("address", "192.0.2.7:80"),
			same("resolved to", "192.0.2.7, 192.0.2.8"), same("name servers", "192.0.2.53:53"),
			same("source address", "10.0.0.7"), {"TCP RTT", "10.0 ms", "15.0 ms", false}, same("MSS", "1448"),
			same("path MTU", "1500"), same("response", "HTTP/1.1 200 OK"), same("connect", "10.0 ms")}},
		{"everything", func(r *result.Result, h *result.Hop) {
			r.Failure = &result.Failure{Phase: result.Validate, Reason: result.HTTPError}
			h.Addr, h.Answers = netip.MustParseAddrPort("192.0.2.9:80"), []netip.Addr{netip.MustParseAddr("192.0.2.9")}
			h.Lookup.Exchanges[1].Server = "192.0.2.54:53"
			h.Wire.Local = netip.MustParseAddrPort("10.8.0.2:40003")
			h.Wire.Info.RTT, h.Wire.Info.SndMSS, h.Wire.Info.PMTU = 20*time.Millisecond, 1200, 1280
			h.Spans = []result.Span{{Phase: result.Connect, Duration: 5 * time.Millisecond, Failed: true}}
			h.Response.StatusText = "502 Bad Gateway"
			h.Response.Header = http.Header{"Server": {"haproxy"}, "Location": {"/b?token=hunter2"}, "Via": {"1.1 x"}}
		}, []Difference{{"result", "success", "", true}, {"address", "192.0.2.7:80", "192.0.2.9:80", true},
			{"resolved to", "192.0.2.7, 192.0.2.8", "192.0.2.9", true},
			{"name servers", "192.0.2.53:53", "192.0.2.53:53, 192.0.2.54:53", true},
			{"source address", "10.0.0.7", "10.8.0.2", true}, {"TCP RTT", "10.0 ms", "20.0 ms", true},
			{"MSS", "1448", "1200", true}, {"path MTU", "1500", "1280", true},
			{"response", "HTTP/1.1 200 OK", "HTTP/1.1 502 Bad Gateway", true},
			{"connect", "10.0 ms", "5.0 ms, failed", true}, {"header Date", "1", "", true},
			{"header Location", "/a?token=<hidden>", "/b?token=<hidden>", true},
			{"header Server", "nginx", "haproxy", true}, {"header Via", "", "1.1 x", true},
			{"header X-Request-Id", "a", "", true}}},
		{"no connection", func(_ *result.Result, h *result.Hop) {
			*h = result.Hop{URL: h.URL, Answers: h.Answers}
		}, []Difference{same("result", "success"), {"address", "192.0.2.7:80", "", true},
			same("resolved to", "192.0.2.7, 192.0.2.8"), {"name servers", "192.0.2.53:53", "", true},
			{"source address", "10.0.0.7", "", true}, {"TCP RTT", "10.0 ms", "", true}, {"MSS", "1448", "", true},
			{"path MTU", "1500", "", true}, {"response", "HTTP/1.1 200 OK", "", true}, {"connect", "10.0 ms", "", true}}},
	} {
		now := probe(row.change)
		want := row.want
		if now.Failure != nil {
			want[0].Now = now.Failure.Sentence()
		}
		if diff := cmp.Diff(want, Compare(before, now, module.New("m"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}
