package record

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

func TestCurl(t *testing.T) {
	m := module.New("api")
	m.Header.Set("X-Team", "o'neil")
	post := resulttest.HTTPSuccess()
	post.Timeout = 9500 * time.Millisecond
	post.Attempts[0].Hops[0].Request = &result.RequestHead{Method: "POST", Host: "other.example.com", Body: 5,
		Header: http.Header{"X-Team": {"o'neil"}, "Authorization": {"Bearer hunter2"},
			"User-Agent": {"errno_exporter"}}}
	plain := resulttest.HTTPSuccess()
	plain.Attempts[0].Hops[0].Request = nil
	plain.Attempts[0].Hops[0].Addr = netip.MustParseAddrPort("192.0.2.7:80")
	secure := resulttest.ResetInProcessing()
	for _, row := range []struct {
		name string
		r    *result.Result
		want string
	}{
		{"POST", &post, `curl -sv -o /dev/null --max-time 9.5 --resolve api.example.com:80:192.0.2.7 --http1.1 -X POST ` +
			`-H 'Host: other.example.com' ` +
			`-H 'Authorization: <hidden>' -H 'User-Agent: errno_exporter' -H 'X-Team: o'\''neil' --data-binary @BODY -H Accept: -H Content-Type: -H Expect: ` +
			`http://api.example.com/health`},
		{"no request was " +
			"made", &plain, `curl -sv -o /dev/null --max-time 9.5 --resolve api.example.com:80:192.0.2.7 --http1.1 ` +
			`http://api.example.com/health`},
		{"HTTP/2", &secure, `curl -sv -o /dev/null --max-time 9.5 --resolve www.example.com:443:192.0.2.8 --http2 -H ` +
			`'Authorization: <hidden>' ` +
			`-H 'User-Agent: errno_exporter/0.1.0' -H 'X-Tenant: <hidden>' -H Accept: https://www.example.com/health`},
	} {
		if got := Curl(row.r, row.r.Last().LastHop(), m); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}
