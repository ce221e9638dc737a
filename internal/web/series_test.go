package web

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"errno_exporter/internal/faultlab"
)

// The most series that a target has in Prometheus, scraped as text and as protocol buffers with native histograms, and
// for each of its addresses with addresses: all besides.
const (
	mostClassic, mostNative = 60, 45
	mostOfAddress           = 5
)

// TestSeries: rows are the kinds of targets; each is scraped in both formats, after as many scrapes as it takes to have
// all its series, and keeps to the budget. The table of docs/metrics.md has the numbers.
func TestSeries(t *testing.T) {
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	const retries = "retry: {attempts: 2, initial_backoff: 1ms, max_backoff: 1ms}"
	https1 := func(t *testing.T) string { return faultlab.TLSHandler(t, faultlab.Healthy, "http/1.1") }
	for _, row := range []struct {
		name      string
		serve     func(*testing.T) string
		keys      []string
		addresses int    // with addresses: all
		until     string // a series that it takes a while to have
	}{
		{"over HTTP", func(t *testing.T) string { return faultlab.Handler(t, faultlab.Healthy) }, nil, 0, ""},
		{"over HTTPS, HTTP/1.1", https1, nil, 0, ""},
		{"over HTTPS, HTTP/2", func(t *testing.T) string { return faultlab.TLSHandler(t, faultlab.Healthy, "h2") }, nil, 0, ""},
		{"over HTTP/3", func(t *testing.T) string { return faultlab.HTTP3Handler(t, faultlab.Healthy) },
			[]string{"enable_http2: false", "enable_http3: true"}, 0, ""},
		{"refused", func(t *testing.T) string { return faultlab.ClosedPort(t) }, nil, 0, ""},
		{"over HTTPS, reset after the request", func(t *testing.T) string { return faultlab.TLSResetAfterRequest(t) }, nil, 0, ""},
		{"over HTTPS, reset after each second request", secondFails, nil, 0, ""},
		{"over HTTPS, with a retry that succeeds", secondFails, []string{retries}, 0, ""},
		{"over HTTPS, with two ages of `keepalive`", https1, []string{"keepalive: {idle: [1s, 2s]}"}, 0,
			`probe_keepalive_success idle="2s"`},
		{"over HTTPS, with `addresses: all` and one address", https1, []string{"addresses: all"}, 1, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := serveText(t, "modules:\n"+faultlab.Module("api", 5*time.Second, faultlab.RootsPEM(),
				append(row.keys, "trace: true")...)+fmt.Sprintf("targets:\n  - {name: a, url: %q, module: api}\n", row.serve(t)))
			classic, native := mostSeries(t, server.URL, "text/plain", row.until), mostSeries(t, server.URL, protobuf, row.until)
			if len(classic) > mostClassic+row.addresses*mostOfAddress || len(native) > mostNative+row.addresses*mostOfAddress {
				t.Errorf("%d series in text, %d in protocol buffers, want at most %d and %d, and %d for each address:\n%s\n\n%s",
					len(classic), len(native), mostClassic, mostNative, mostOfAddress, strings.Join(classic, "\n"),
					strings.Join(native, "\n"))
			}
			line := fmt.Sprintf("| %s | %d | %d |", row.name, len(classic), len(native))
			if !strings.Contains(string(page), line) {
				t.Errorf("docs/metrics.md has no line %s", line)
			}
		})
	}
}

// protobuf is what a Prometheus asks for that takes native histograms.
const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

// secondFails resets the connection after each second request.
func secondFails(t *testing.T) string {
	var requests atomic.Int64
	return faultlab.TLSHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1)%2 == 1 {
			faultlab.Healthy.ServeHTTP(w, r)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		tcp := conn.(*tls.Conn).NetConn().(*net.TCPConn)
		_ = tcp.SetLinger(0) // Close sends a RST
		_ = tcp.Close()
	}), "http/1.1")
}

// mostSeries scrapes until a series is there, and at least four times, and returns the most series that the target had
// in Prometheus.
func mostSeries(t *testing.T, url, accept, until string) (most []string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for scrapes, there := 0, false; scrapes < 4 || !there; scrapes++ {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", accept)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		series := seriesOf(t, response)
		there = until == "" || slices.Contains(series, until)
		if len(series) > len(most) {
			most = series
		}
		<-again.C
	}
	return most
}

// seriesOf are the series of the target a in an answer, as Prometheus has them: a native histogram is one. Those that
// appear where packets are lost or the kernel's timestamps come late are left out.
func seriesOf(t *testing.T, response *http.Response) (all []string) {
	t.Helper()
	defer response.Body.Close()
	decoder := expfmt.NewDecoder(response.Body, expfmt.ResponseFormat(response.Header))
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains([]string{"probe_kernel_timestamps", "probe_tcp_syn_retransmits",
			"probe_tcp_retransmitted_segments", "probe_tcp_out_of_order_packets"}, family.GetName()) {
			continue
		}
		for _, m := range family.Metric {
			name := family.GetName()
			for _, label := range m.Label {
				if label.GetName() != "target" {
					name += fmt.Sprintf(" %s=%q", label.GetName(), label.GetValue())
				}
			}
			if at := len(m.Label) - 1; at < 0 || m.Label[at].GetName() != "target" {
				continue
			}
			all = append(all, name)
			if h := m.Histogram; h != nil && h.Schema == nil {
				for _, b := range h.Bucket {
					all = append(all, fmt.Sprintf("%s le=%v", name, b.GetUpperBound()))
				}
				all = append(all, name+" sum") // and its count
			}
		}
	}
}
