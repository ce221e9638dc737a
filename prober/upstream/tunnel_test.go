package upstream

import (
	"net/http"
	"strconv"
	"testing"
)

// A proxy's answers that are no tunnel.
func TestTunnel(t *testing.T) {
	for _, row := range []struct {
		status int
		squid  string
		want   string
	}{
		{502, "", "proxy unknown"},
		{503, "", "proxy unknown"},
		{504, "", "proxy http_response_timeout"},
		{403, "", "proxy http_request_denied"},
		{500, "", ""},
		{507, "", "proxy proxy_internal_error"},
		{407, "", "proxy http_request_denied"},
		{302, "", "proxy http_request_denied"},
		{400, "", "proxy http_request_denied"},
		{405, "", "proxy http_request_denied"},
		{429, "", "proxy http_request_denied"},
		{501, "", "proxy http_request_denied"},
		{505, "", "proxy http_request_denied"},
		{511, "", "proxy http_request_denied"},
		{503, "ERR_CONNECT_FAIL 111", "squid connection_refused"},
	} {
		h := http.Header{}
		if row.squid != "" {
			h.Set("X-Squid-Error", row.squid)
		}
		if got := put(OfConnect(Answer{Status: row.status, Header: h})); got != row.want {
			t.Errorf("OfConnect(%d, %s) = %q, want %q", row.status, row.squid, got, row.want)
		}
	}
	for line, want := range map[string]string{
		"404 No such domain": "privoxy dns_error", "503 Connect failed": "privoxy destination_unavailable",
		"404 Not Found": "proxy http_request_denied", "500 Unable to connect": "",
	} {
		status, _ := strconv.Atoi(line[:3])
		if got := put(OfConnect(Answer{Status: status, StatusText: line, Header: http.Header{}})); got != want {
			t.Errorf("OfConnect(%s) = %q, want %q", line, got, want)
		}
	}
	tiny := Answer{Status: 500, StatusText: "500 Unable to connect", Header: http.Header{"Server": {"tinyproxy/1.11.1"}}}
	if got, want := put(OfConnect(tiny)), "tinyproxy unknown"; got != want {
		t.Errorf("OfConnect(Tinyproxy's 500) = %q, want %q", got, want)
	}
	for reply, want := range []string{"", "", "proxy http_request_denied", "proxy destination_ip_unroutable",
		"proxy destination_unavailable", "proxy connection_refused", "proxy destination_ip_unroutable", "", ""} {
		if got := put(OfSOCKS(byte(reply))); got != want {
			t.Errorf("OfSOCKS(%d) = %q, want %q", reply, got, want)
		}
	}
}

// BenchmarkOf is what an answer costs that states nothing.
func BenchmarkOf(b *testing.B) {
	a := Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain"}, "Content-Length": {"2"}}}
	b.ReportAllocs()
	for b.Loop() {
		Of(a)
	}
}
