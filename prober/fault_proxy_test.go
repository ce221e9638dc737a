package prober_test

import (
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// proxied is a row whose server is the proxy: the target behind it would be healthy.
type proxied struct {
	name   string
	proxy  func(faultlab.Host) string
	target string
	module func(*module.Module)
	runs   int
	want   []outcome
}

// Targets behind proxies. The proxies that work know lab.test.
const (
	plainTarget  = "http://lab.test/"
	secureTarget = "https://lab.test/"
)

func TestProxyFaults(t *testing.T) {
	rows := make([]fault, len(proxyFaults))
	for i, row := range proxyFaults {
		rows[i] = fault{row.name, func(faultlab.Host) string { return row.target }, nil, row.runs, row.want}
	}
	for i, row := range proxyFaults {
		rows[i].module = func(m *module.Module) {
			m.SkipResolve = true
			m.Proxy = through(row.proxy(t))
			row.module(m)
		}
	}
	probeFaults(t, rows)
}

func inProxy(reason result.Reason, errno syscall.Errno, origin result.Origin) []outcome {
	return []outcome{{result.Proxy, reason, errno, origin, ""}}
}

func refusingProxy(h faultlab.Host) string { return strings.TrimSuffix(faultlab.ClosedPort(h), "/") }

func connectStatus(code int) func(faultlab.Host) string {
	return func(h faultlab.Host) string { return faultlab.ConnectStatus(h, code) }
}

func socksReply(code byte) func(faultlab.Host) string {
	return func(h faultlab.Host) string { return faultlab.SOCKSReply(h, code) }
}

var proxyFaults = []proxied{
	{"proxy refuses", refusingProxy, secureTarget, asIs, 5,
		inProxy(result.TCPRefused, syscall.ECONNREFUSED, result.Peer)},
	{"proxy refuses, plain HTTP", refusingProxy, plainTarget, asIs, 5,
		inProxy(result.TCPRefused, syscall.ECONNREFUSED, result.Peer)},
	{"CONNECT 407", connectStatus(407), secureTarget, asIs, 5, inProxy(result.ProxyAuthRequired, 0, result.Peer)},
	{"CONNECT 403", connectStatus(403), secureTarget, asIs, 5, inProxy(result.ProxyDenied, 0, result.Peer)},
	{"CONNECT 502", connectStatus(502), secureTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"CONNECT 503", connectStatus(503), secureTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"CONNECT 504", connectStatus(504), secureTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"RST after CONNECT", faultlab.ConnectReset, secureTarget, asIs, raced,
		inProxy(result.TCPReset, syscall.ECONNRESET, result.Peer)},
	{"FIN after CONNECT", faultlab.ConnectFin, secureTarget, asIs, raced, inProxy(result.TCPClosed, 0, result.Peer)},
	{"garbage after CONNECT", faultlab.ConnectGarbage, secureTarget, asIs, 5,
		inProxy(result.HTTPProtocolError, 0, result.Peer)},
	{"170,000 fields after CONNECT", func(h faultlab.Host) string { return faultlab.ConnectManyFields(h, 170_000) },
		secureTarget, asIs, 5, inProxy(result.HTTPHeadersTooLarge, 0, result.Self)},
	{"head of 2 MiB after CONNECT", faultlab.ConnectHugeHead, secureTarget, asIs, 5,
		inProxy(result.HTTPHeadersTooLarge, 0, result.Self)},
	{"silence after CONNECT", faultlab.ConnectSilent, secureTarget, briefly, once,
		inProxy(result.HTTPResponseTimedOut, 0, result.Self)},
	{"https proxy that nobody trusts", faultlab.UntrustedHTTPSProxy, secureTarget, asIs, 5,
		inProxy(result.TLSCertAuthorityInvalid, 0, result.Self)},
	{"https proxy that does not shake hands", silentHTTPSProxy, secureTarget, briefly, once,
		inProxy(result.TLSTimedOut, 0, result.Self)},
	{"plain HTTP, 407 of the proxy", func(h faultlab.Host) string { return faultlab.ForwardStatus(h, 407) },
		plainTarget, asIs, 5, []outcome{{result.Validate, result.ProxyAuthRequired, 0, result.Peer,
			result.CheckStatus}}},
	{"plain HTTP, 502 of the proxy", func(h faultlab.Host) string { return faultlab.ForwardStatus(h, 502) },
		plainTarget, asIs, 5, []outcome{statusError(result.HTTPError)}},
	{"plain HTTP, RST of the proxy", faultlab.ConnectReset, plainTarget, asIs, raced, []outcome{peerReset}},
	{"SOCKS 1 general failure", socksReply(1), secureTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"SOCKS 2 not allowed", socksReply(2), secureTarget, asIs, 5, inProxy(result.ProxyDenied, 0, result.Peer)},
	{"SOCKS 3 network unreachable", socksReply(3), secureTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"SOCKS 4 host unreachable", socksReply(4), secureTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"SOCKS 5 refused", socksReply(5), plainTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"SOCKS 6 TTL expired", socksReply(6), plainTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"SOCKS 7 command", socksReply(7), plainTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"SOCKS 8 address type", socksReply(8), plainTarget, asIs, 5, inProxy(result.ProxyFailed, 0, result.Peer)},
	{"SOCKS without a method", faultlab.SOCKSNoMethod, secureTarget, asIs, 5,
		inProxy(result.ProxyAuthRequired, 0, result.Peer)},
	{"SOCKS refuses the password", faultlab.SOCKSAuthRefused, secureTarget, asIs, 5,
		inProxy(result.ProxyAuthRequired, 0, result.Peer)},
	{"HTTP proxy taken for SOCKS", faultlab.SOCKSGarbage, secureTarget, asIs, 5,
		inProxy(result.HTTPProtocolError, 0, result.Peer)},
	{"SOCKS reply of another version", faultlab.SOCKSGarbageReply, secureTarget, asIs, 5,
		inProxy(result.HTTPProtocolError, 0, result.Peer)},
	{"SOCKS, RST", faultlab.SOCKSReset, secureTarget, asIs, raced,
		inProxy(result.TCPReset, syscall.ECONNRESET, result.Peer)},
	{"SOCKS, FIN", faultlab.SOCKSFin, secureTarget, asIs, raced, inProxy(result.TCPClosed, 0, result.Peer)},
	{"SOCKS, silence", faultlab.SOCKSSilent, secureTarget, briefly, once,
		inProxy(result.HTTPResponseTimedOut, 0, result.Self)},
}

func silentHTTPSProxy(h faultlab.Host) string { return strings.TrimSuffix(faultlab.TLSSilent(h), "/") }

// TestProxiesWork: what a proxy that works was asked, and that the exchange through it succeeds.
func TestProxiesWork(t *testing.T) {
	plain := strings.TrimSuffix(faultlab.Handler(t, faultlab.Healthy), "/")
	secure := strings.TrimSuffix(faultlab.TLSHandler(t, faultlab.Healthy, "h2", "http/1.1"), "/")
	address := func(url string) string { return url[strings.LastIndex(url, "/")+1:] }
	named := func(url string) string { return strings.Replace(url, "127.0.0.1", "lab.test", 1) }
	login := faultlab.ProxyUser + ":" + faultlab.ProxyPassword
	for _, row := range []struct {
		name, target string
		proxy        func(faultlab.Host) *faultlab.Proxy
		want         faultlab.ProxyRequest // without the header
		phases       []result.Phase
	}{
		{"HTTP proxy, plain", plain + "/a?b=%2F", faultlab.HTTPProxy,
			faultlab.ProxyRequest{Method: "GET", Target: plain + "/a?b=%2F"}, forwarded},
		{"HTTP proxy, plain, no path", plain, faultlab.HTTPProxy,
			faultlab.ProxyRequest{Method: "GET", Target: plain + "/"}, forwarded},
		{"HTTP proxy, TLS", secure, faultlab.HTTPProxy,
			faultlab.ProxyRequest{Method: "CONNECT", Target: address(secure)}, tunnelled},
		{"HTTP proxy asked by name", named(secure), faultlab.HTTPProxy,
			faultlab.ProxyRequest{Method: "CONNECT", Target: address(named(secure))}, tunnelled},
		{"HTTP proxy with password, plain", plain, faultlab.HTTPProxyWithPassword,
			faultlab.ProxyRequest{Method: "GET", Target: plain + "/", User: login}, forwarded},
		{"HTTP proxy with password, TLS", secure, faultlab.HTTPProxyWithPassword,
			faultlab.ProxyRequest{Method: "CONNECT", Target: address(secure), User: login}, tunnelled},
		{"HTTPS proxy, plain", plain, faultlab.HTTPSProxy, faultlab.ProxyRequest{Method: "GET", Target: plain + "/"},
			handed},
		{"HTTPS proxy, TLS", secure, faultlab.HTTPSProxy,
			faultlab.ProxyRequest{Method: "CONNECT", Target: address(secure)}, tunnelled},
		{"SOCKS, plain", plain, faultlab.SOCKSProxy, faultlab.ProxyRequest{Method: "SOCKS5", Target: address(plain)},
			handed},
		{"SOCKS by name, TLS", named(secure), faultlab.SOCKSProxy,
			faultlab.ProxyRequest{Method: "SOCKS5", Target: address(named(secure))}, tunnelled},
		{"SOCKS with password", secure, faultlab.SOCKSProxyWithPassword,
			faultlab.ProxyRequest{Method: "SOCKS5", Target: address(secure), User: login}, tunnelled},
	} {
		proxy := row.proxy(t)
		m := labModule()
		m.SkipResolve, m.Proxy = true, through(proxy.URL)
		r := probe(t, prober.New(prober.Options{}), row.target, m)
		asked := proxy.Requests()
		for i := range asked {
			asked[i].Header = nil
		}
		var phases []result.Phase
		for _, span := range r.Last().LastHop().Spans {
			phases = append(phases, span.Phase)
		}
		if diff := cmp.Diff([]faultlab.ProxyRequest{row.want}, asked) + cmp.Diff(row.phases, phases); diff != "" ||
			r.Failure != nil {
			t.Errorf("%s: failure %+v; asked, phases (-want +got):\n%s%s", row.name, outcomeOf(r.Failure), diff,
				evidence(&r))
		}
	}
}

var (
	forwarded = []result.Phase{result.Connect, result.Request, result.Processing, result.Transfer, result.Validate}
	handed    = []result.Phase{result.Connect, result.Proxy, result.Request, result.Processing, result.Transfer, result.Validate}
	tunnelled = []result.Phase{result.Connect, result.Proxy, result.TLS, result.Request, result.Processing, result.Transfer,
		result.Validate}
)

// CONNECT has the exporter's User-Agent, unless proxy_connect_header has one.
func TestUserAgentOfConnect(t *testing.T) {
	for _, row := range []struct {
		name, agent string
		header      http.Header
		want        []string
	}{
		{"the exporter's", "errno_exporter/test", nil, []string{"errno_exporter/test"}},
		{"the module's", "errno_exporter/test", http.Header{"User-Agent": {"own"}}, []string{"own"}},
		{"net/http's, without one", "", nil, []string{"Go-http-client/1.1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			proxy := faultlab.HTTPProxy(t)
			m := labModule()
			m.Proxy, m.ProxyConnectHeader = through(proxy.URL), row.header
			r := probe(t, prober.New(prober.Options{UserAgent: row.agent}), faultlab.TLSHandler(t, http.HandlerFunc(fine),
				"http/1.1"), m)
			if r.Failure != nil || len(proxy.Requests()) != 1 {
				t.Fatalf("failure %+v, the proxy saw %d requests, want none and 1", outcomeOf(r.Failure),
					len(proxy.Requests()))
			}
			if got := proxy.Requests()[0].Header["User-Agent"]; !slices.Equal(got, row.want) {
				t.Errorf("CONNECT has User-Agent %q, want %q", got, row.want)
			}
		})
	}
}
