package prober_test

import (
	"strings"
	"syscall"
	"testing"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"

	"github.com/google/go-cmp/cmp"
)

// proxied is a row whose server is the proxy: the target behind it would be healthy.
type proxied struct {
	name   string
	proxy  func(faultlab.Host) string
	target string
	module func(*config.Module)
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
		rows[i].module = func(m *config.Module) {
			m.SkipResolve = true
			m.Proxy = through(row.proxy(t))
			row.module(m)
		}
	}
	probeFaults(t, rows)
}

func inProxy(reason prober.Reason, errno syscall.Errno, origin prober.Origin) []outcome {
	return []outcome{{prober.Proxy, reason, errno, origin, ""}}
}

func refusingProxy(h faultlab.Host) string { return strings.TrimSuffix(faultlab.ClosedPort(h), "/") }

func connectStatus(code int) func(faultlab.Host) string {
	return func(h faultlab.Host) string { return faultlab.ConnectStatus(h, code) }
}

func socksReply(code byte) func(faultlab.Host) string {
	return func(h faultlab.Host) string { return faultlab.SOCKSReply(h, code) }
}

var proxyFaults = []proxied{
	{"proxy refuses", refusingProxy, secureTarget, asIs, 5, inProxy(prober.TCPRefused, syscall.ECONNREFUSED, prober.Peer)},
	{"proxy refuses, plain HTTP", refusingProxy, plainTarget, asIs, 5, inProxy(prober.TCPRefused, syscall.ECONNREFUSED, prober.Peer)},
	{"CONNECT 407", connectStatus(407), secureTarget, asIs, 5, inProxy(prober.ProxyAuthRequired, 0, prober.Peer)},
	{"CONNECT 403", connectStatus(403), secureTarget, asIs, 5, inProxy(prober.ProxyDenied, 0, prober.Peer)},
	{"CONNECT 502", connectStatus(502), secureTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"CONNECT 503", connectStatus(503), secureTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"CONNECT 504", connectStatus(504), secureTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"RST after CONNECT", faultlab.ConnectReset, secureTarget, asIs, raced, inProxy(prober.TCPReset, syscall.ECONNRESET, prober.Peer)},
	{"FIN after CONNECT", faultlab.ConnectFin, secureTarget, asIs, raced, inProxy(prober.TCPClosed, 0, prober.Peer)},
	{"garbage after CONNECT", faultlab.ConnectGarbage, secureTarget, asIs, 5, inProxy(prober.HTTPProtocolError, 0, prober.Peer)},
	{"170,000 fields after CONNECT", func(h faultlab.Host) string { return faultlab.ConnectManyFields(h, 170_000) }, secureTarget, asIs, 5, inProxy(prober.HTTPHeadersTooLarge, 0, prober.Self)},
	{"head of 2 MiB after CONNECT", faultlab.ConnectHugeHead, secureTarget, asIs, 5, inProxy(prober.HTTPHeadersTooLarge, 0, prober.Self)},
	{"silence after CONNECT", faultlab.ConnectSilent, secureTarget, briefly, once, inProxy(prober.HTTPResponseTimedOut, 0, prober.Self)},
	{"https proxy that nobody trusts", faultlab.UntrustedHTTPSProxy, secureTarget, asIs, 5, inProxy(prober.TLSCertAuthorityInvalid, 0, prober.Self)},
	{"https proxy that does not shake hands", silentHTTPSProxy, secureTarget, briefly, once, inProxy(prober.TLSTimedOut, 0, prober.Self)},
	{"plain HTTP, 407 of the proxy", func(h faultlab.Host) string { return faultlab.ForwardStatus(h, 407) }, plainTarget, asIs, 5, []outcome{{prober.Validate, prober.ProxyAuthRequired, 0, prober.Peer, prober.CheckStatus}}},
	{"plain HTTP, 502 of the proxy", func(h faultlab.Host) string { return faultlab.ForwardStatus(h, 502) }, plainTarget, asIs, 5, []outcome{statusError(prober.HTTPError)}},
	{"plain HTTP, RST of the proxy", faultlab.ConnectReset, plainTarget, asIs, raced, []outcome{peerReset}},
	{"SOCKS 1 general failure", socksReply(1), secureTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"SOCKS 2 not allowed", socksReply(2), secureTarget, asIs, 5, inProxy(prober.ProxyDenied, 0, prober.Peer)},
	{"SOCKS 3 network unreachable", socksReply(3), secureTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"SOCKS 4 host unreachable", socksReply(4), secureTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"SOCKS 5 refused", socksReply(5), plainTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"SOCKS 6 TTL expired", socksReply(6), plainTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"SOCKS 7 command", socksReply(7), plainTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"SOCKS 8 address type", socksReply(8), plainTarget, asIs, 5, inProxy(prober.ProxyFailed, 0, prober.Peer)},
	{"SOCKS without a method", faultlab.SOCKSNoMethod, secureTarget, asIs, 5, inProxy(prober.ProxyAuthRequired, 0, prober.Peer)},
	{"SOCKS refuses the password", faultlab.SOCKSAuthRefused, secureTarget, asIs, 5, inProxy(prober.ProxyAuthRequired, 0, prober.Peer)},
	{"HTTP proxy taken for SOCKS", faultlab.SOCKSGarbage, secureTarget, asIs, 5, inProxy(prober.HTTPProtocolError, 0, prober.Peer)},
	{"SOCKS reply of another version", faultlab.SOCKSGarbageReply, secureTarget, asIs, 5, inProxy(prober.HTTPProtocolError, 0, prober.Peer)},
	{"SOCKS, RST", faultlab.SOCKSReset, secureTarget, asIs, raced, inProxy(prober.TCPReset, syscall.ECONNRESET, prober.Peer)},
	{"SOCKS, FIN", faultlab.SOCKSFin, secureTarget, asIs, raced, inProxy(prober.TCPClosed, 0, prober.Peer)},
	{"SOCKS, silence", faultlab.SOCKSSilent, secureTarget, briefly, once, inProxy(prober.HTTPResponseTimedOut, 0, prober.Self)},
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
		phases       []prober.Phase
	}{
		{"HTTP proxy, plain", plain + "/a?b=%2F", faultlab.HTTPProxy, faultlab.ProxyRequest{Method: "GET", Target: plain + "/a?b=%2F"}, forwarded},
		{"HTTP proxy, plain, no path", plain, faultlab.HTTPProxy, faultlab.ProxyRequest{Method: "GET", Target: plain + "/"}, forwarded},
		{"HTTP proxy, TLS", secure, faultlab.HTTPProxy, faultlab.ProxyRequest{Method: "CONNECT", Target: address(secure)}, tunnelled},
		{"HTTP proxy asked by name", named(secure), faultlab.HTTPProxy, faultlab.ProxyRequest{Method: "CONNECT", Target: address(named(secure))}, tunnelled},
		{"HTTP proxy with password, plain", plain, faultlab.HTTPProxyWithPassword, faultlab.ProxyRequest{Method: "GET", Target: plain + "/", User: login}, forwarded},
		{"HTTP proxy with password, TLS", secure, faultlab.HTTPProxyWithPassword, faultlab.ProxyRequest{Method: "CONNECT", Target: address(secure), User: login}, tunnelled},
		{"HTTPS proxy, plain", plain, faultlab.HTTPSProxy, faultlab.ProxyRequest{Method: "GET", Target: plain + "/"}, forwarded},
		{"HTTPS proxy, TLS", secure, faultlab.HTTPSProxy, faultlab.ProxyRequest{Method: "CONNECT", Target: address(secure)}, tunnelled},
		{"SOCKS, plain", plain, faultlab.SOCKSProxy, faultlab.ProxyRequest{Method: "SOCKS5", Target: address(plain)}, forwarded},
		{"SOCKS by name, TLS", named(secure), faultlab.SOCKSProxy, faultlab.ProxyRequest{Method: "SOCKS5", Target: address(named(secure))}, tunnelled},
		{"SOCKS with password", secure, faultlab.SOCKSProxyWithPassword, faultlab.ProxyRequest{Method: "SOCKS5", Target: address(secure), User: login}, tunnelled},
	} {
		proxy := row.proxy(t)
		m := labModule()
		m.SkipResolve, m.Proxy = true, through(proxy.URL)
		r := probe(t, prober.New(prober.Options{}), row.target, m)
		asked := proxy.Requests()
		for i := range asked {
			asked[i].Header = nil
		}
		var phases []prober.Phase
		for _, span := range r.Last().LastHop().Spans {
			phases = append(phases, span.Phase)
		}
		if diff := cmp.Diff([]faultlab.ProxyRequest{row.want}, asked) + cmp.Diff(row.phases, phases); diff != "" || r.Failure != nil {
			t.Errorf("%s: failure %+v; asked, phases (-want +got):\n%s%s", row.name, outcomeOf(r.Failure), diff, evidence(&r))
		}
	}
}

var (
	forwarded = []prober.Phase{prober.Proxy, prober.Request, prober.Processing, prober.Transfer, prober.Validate}
	tunnelled = []prober.Phase{prober.Proxy, prober.TLS, prober.Request, prober.Processing, prober.Transfer, prober.Validate}
)
