package prober

import (
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"errno_exporter/config"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// bounded is a module of the configuration, with every default but these keys.
func bounded(t *testing.T, keys string) *module.Module {
	t.Helper()
	c, err := config.Parse([]byte("modules: {m: {prober: http, timeout: 60s, http: {preferred_ip_protocol: "+
		"ip4, "+keys+"}}}"), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	m := c.Modules["m"]
	m.TLS.RootCAs = faultlab.Roots()
	return m
}

func probeBounded(t *testing.T, url, keys string) *result.Result {
	t.Helper()
	target, err := ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	r := New(Options{}).Probe(t.Context(), target, bounded(t, keys))
	return &r
}

func reasonOf(r *result.Result) result.Reason {
	if r.Failure == nil {
		return ""
	}
	return r.Failure.Reason
}

// A head of as many bytes as the document says is a response like others, with a few more it is too large.
func TestHeadBytes(t *testing.T) {
	const most, mostHTTP3, small, some = 1 << 20, 256 << 10, 64 << 10, 8 << 10
	const http3 = "enable_http3: true, enable_http2: false"
	healthy := faultlab.Handler(t, faultlab.Healthy)
	names := map[string][]netip.Addr{"lab.test": {netip.MustParseAddr("127.0.0.1")}}
	port := strings.TrimPrefix(healthy, "http://127.0.0.1:")
	asking := func(n int) string {
		return "resolver: {protocol: https, servers: ['" + faultlab.DNSOverHTTPSWithHead(t, names, n) + "']}"
	}
	tokens := func(n int) string {
		return "oauth2: {client_id: lab, client_secret: secret, token_url: '" +
			faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				faultlab.WriteHead(w, n)
				w.Header().Set("Content-Type", "application/json")
				// a prober that has gone is not missed
				_, _ = io.WriteString(w, `{"access_token":"token","token_type":"Bearer","expires_in":60}`)
			})) + "'}"
	}
	for _, row := range []struct {
		name, url, keys string
		want            result.Reason
	}{
		{"HTTP/1.1: nearly 1 MiB", faultlab.ReasonPhrase(t, most-some), "valid_status_codes: [500]", ""},
		{"HTTP/1.1: 1 MiB", faultlab.ReasonPhrase(t, most), "valid_status_codes: [500]", result.HTTPHeadersTooLarge},
		{"HTTP/2: nearly 1 MiB", faultlab.H2HeadOf(t, most-some), "", ""},
		{"HTTP/2: 1 MiB", faultlab.H2HeadOf(t, most), "", result.HTTPHeadersTooLarge},
		{"a proxy: nearly 1 MiB, then no TLS", "https://127.0.0.1:1/", "proxy_url: " +
			faultlab.ConnectHeadOf(t, most-some), result.TCPClosed},
		{"a proxy: 1 MiB", "https://127.0.0.1:1/", "proxy_url: " + faultlab.ConnectHeadOf(t, most),
			result.HTTPHeadersTooLarge},
		{"HTTP/3: a trailer of nearly 256 KiB", faultlab.HTTP3TrailerOf(t, mostHTTP3-some), http3, ""},
		{"HTTP/3: a trailer of 256 KiB", faultlab.HTTP3TrailerOf(t, mostHTTP3), http3, result.HTTPHeadersTooLarge},
		{"HTTP/3: a trailer of 900 fields", faultlab.HTTP3ManyFieldsInTrailer(t, 900), http3, ""},
		{"HTTP/3: a trailer of 1,001 fields", faultlab.HTTP3ManyFieldsInTrailer(t, 1001), http3,
			result.HTTPHeadersTooLarge},
		{"a name server: nearly 64 KiB", "http://lab.test:" + port, asking(small - some), ""},
		{"a name server: 64 KiB", "http://lab.test:" + port, asking(small), result.DNSFailed},
		{"a token endpoint: nearly 64 KiB", healthy, tokens(small - some), ""},
		{"a token endpoint: 64 KiB", healthy, tokens(small), result.AuthTokenFailed},
		{"HTTP/3: nearly 256 KiB", faultlab.HTTP3HeadOf(t, mostHTTP3-some), http3, ""},
		{"HTTP/3: 256 KiB", faultlab.HTTP3HeadOf(t, mostHTTP3), http3, result.HTTPHeadersTooLarge},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if r := probeBounded(t, row.url, row.keys); reasonOf(r) != row.want {
				t.Errorf("Probe() = %+v, want reason %q", r.Failure, row.want)
			}
		})
	}
	claims.Prove(t, "response head", most, mostHTTP3, small)
}

// 20 responses 1xx and 10 redirects are borne, and not one more.
func TestCounts(t *testing.T) {
	const informations, redirects = 20, 10
	early := func(n int) string {
		return faultlab.Answer(t, strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n",
			n)+"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
	for _, row := range []struct {
		name, url string
		want      result.Reason
	}{
		{"20 responses 1xx", early(informations), ""},
		{"21 responses 1xx", early(informations + 1), result.HTTPHeadersTooLarge},
		{"10 redirects", faultlab.Redirects(t) + strconv.Itoa(redirects), ""},
		{"11 redirects", faultlab.Redirects(t) + strconv.Itoa(redirects+1), result.HTTPRedirectLoop},
	} {
		if r := probeBounded(t, row.url, ""); reasonOf(r) != row.want {
			t.Errorf("%s: %+v, want reason %q", row.name, r.Failure, row.want)
		}
	}
	claims.Prove(t, "1xx responses before the final one", informations)
	claims.Prove(t, "redirects", redirects)
}

// Bodies end at the limit, whether expressions are compared with them or not; what CEL needs is never more than 64 MB.
func TestBodyBytes(t *testing.T) {
	const most, checked, held = 256 << 20, 8 << 20, 64 << 20
	const cel = "fail_if_body_json_matches_cel: body.up"
	for _, row := range []struct {
		name, keys string
		want       int64
	}{
		{"a body", "", most},
		{"a body for expressions with a limit", "fail_if_body_matches_regexp: [y], body_size_limit: 2MB", 2 << 20},
		{"a body for CEL", cel, checked},
		{"a body for CEL without a limit", cel + ", body_size_limit: 0", held},
		{"a body for CEL with a higher limit", cel + ", body_size_limit: 100MB", held},
	} {
		r := probeBounded(t, faultlab.EndlessBody(t), row.keys)
		if response := r.Last().LastHop().Response; reasonOf(r) != result.HTTPContent ||
			response.BodyBytes != row.want {
			t.Errorf("%s: %+v after %d bytes, want reason %q after %d", row.name, r.Failure, response.BodyBytes,
				result.HTTPContent, row.want)
		}
	}
	claims.Prove(t, "body, after decompression", most)
	claims.Prove(t, "body that CEL needs in memory", checked, held)
}

// crypto/tls bounds the message with the server's certificates.
func TestCertificateMessage(t *testing.T) {
	const most, some = 256 << 10, 8 << 10
	if r := probeBounded(t, faultlab.CertificateOf(t, most-some), ""); r.Failure != nil {
		t.Errorf("certificates of nearly 256 KiB: %+v, want a success", r.Failure)
	}
	if r := probeBounded(t, faultlab.CertificateOf(t, most), ""); r.Failure == nil || r.Failure.Phase != result.TLS {
		t.Errorf("certificates of 256 KiB: %+v, want a failure in %s", r.Failure, result.TLS)
	}
	claims.Prove(t, "certificate message", most)
}

// Of a name's addresses 256 are kept, and 16 are probed at once.
func TestAddressesAreBounded(t *testing.T) {
	const kept, probed = 256, 16
	answers := addresses(2000)
	resolver := faultlab.DNS(t, map[string][]netip.Addr{"many.lab.test": answers})
	r := probeBounded(t, "http://many.lab.test:1/", "addresses: all, resolver: {servers: ['"+resolver+"']}")
	if n := len(r.Attempts[0].Hops[0].Answers); n != kept || len(r.Addresses) != probed {
		t.Errorf("of %d addresses %d are kept and %d probed, want %d and %d", len(answers), n, len(r.Addresses), kept,
			probed)
	}
	claims.Prove(t, "addresses of a name", kept, probed)
}

// addresses are so many addresses of loopback.
func addresses(n int) []netip.Addr {
	all := make([]netip.Addr, n)
	for i := range all {
		all[i] = netip.AddrFrom4([4]byte{127, 0, byte(i >> 8), byte(i)})
	}
	return all
}

// An answer of a name server has 64 KiB at most: DNS over HTTPS alone could carry more.
func TestAnswerBytes(t *testing.T) {
	const most = 64 << 10
	for _, row := range []struct {
		name    string
		records int
		want    result.Reason
	}{
		{"less", most / 64, result.TCPRefused},
		{"more, of records of 16 bytes or more", most/16 + 1, result.DNSProtocol},
	} {
		resolver := faultlab.DNSOverHTTPS(t, map[string][]netip.Addr{"many.lab.test": addresses(row.records)})
		r := probeBounded(t, "http://many.lab.test:1/", "resolver: {protocol: https, servers: ['"+resolver+"']}")
		if reasonOf(r) != row.want {
			t.Errorf("%s: %+v, want reason %q", row.name, r.Failure, row.want)
		}
	}
	claims.Prove(t, "answer of a name server", most)
}
