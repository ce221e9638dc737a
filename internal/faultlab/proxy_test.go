package faultlab_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"errno_exporter/internal/faultlab"
)

// through asks for a URL through a proxy and returns the status line and the body, or the error.
func through(t *testing.T, proxy, target string) string {
	t.Helper()
	u, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		Proxy: http.ProxyURL(u), TLSClientConfig: &tls.Config{RootCAs: faultlab.Roots()}, DisableKeepAlives: true,
	}
	response, err := (&http.Client{Transport: transport}).Get(target)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return response.Status + " " + string(body)
}

func TestProxiesThatWork(t *testing.T) {
	const healthy = `200 OK {"status":"ok"}`
	for _, row := range []struct {
		name   string
		proxy  func(faultlab.Host) *faultlab.Proxy
		secure bool // the target
		method string
		user   string
	}{
		{"HTTPProxy", faultlab.HTTPProxy, false, "GET", ""},
		{"HTTPProxy, tunnel", faultlab.HTTPProxy, true, "CONNECT", ""},
		{"HTTPProxyWithPassword", faultlab.HTTPProxyWithPassword, false, "GET", "lab:secret"},
		{"HTTPProxyWithPassword, tunnel", faultlab.HTTPProxyWithPassword, true, "CONNECT", "lab:secret"},
		{"HTTPSProxy", faultlab.HTTPSProxy, false, "GET", ""},
		{"HTTPSProxy, tunnel", faultlab.HTTPSProxy, true, "CONNECT", ""},
		{"SOCKSProxy", faultlab.SOCKSProxy, false, "SOCKS5", ""},
		{"SOCKSProxy, TLS", faultlab.SOCKSProxy, true, "SOCKS5", ""},
		{"SOCKSProxyWithPassword", faultlab.SOCKSProxyWithPassword, false, "SOCKS5", "lab:secret"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			target := faultlab.Handler(t, faultlab.Healthy)
			if row.secure {
				target = faultlab.TLSHandler(t, faultlab.Healthy, "http/1.1")
			}
			proxy := row.proxy(t)
			if got := through(t, proxy.URL, target); got != healthy {
				t.Errorf("through(%s, %s) = %q, want %q", proxy.URL, target, got, healthy)
			}
			asked := target // the absolute form
			if row.method != http.MethodGet {
				asked = hostPort(t, target)
			}
			want := []faultlab.ProxyRequest{{Method: row.method, Target: asked, User: row.user}}
			if diff := cmp.Diff(want, proxy.Requests(),
				cmpopts.IgnoreFields(faultlab.ProxyRequest{}, "Header")); diff != "" {
				t.Errorf("Requests() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProxiesKnowTheLabsNames(t *testing.T) {
	for _, row := range []struct {
		name  string
		proxy func(faultlab.Host) *faultlab.Proxy
	}{{"HTTP", faultlab.HTTPProxy}, {"SOCKS", faultlab.SOCKSProxy}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(faultlab.TLSHandler(t, faultlab.Healthy, "http/1.1"))
			if err != nil {
				t.Fatal(err)
			}
			u.Host = "api.lab.test:" + u.Port()
			if got, want := through(t, row.proxy(t).URL, u.String()), `200 OK {"status":"ok"}`; got != want {
				t.Errorf("through(%s) = %q, want %q", u, got, want)
			}
		})
	}
}

func TestProxyFaults(t *testing.T) {
	const (
		connect  = "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"
		forward  = "GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"
		greeting = "\x05\x01\x00"
		socks    = greeting + "\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x01" // to 127.0.0.1:1
		login    = "\x05\x02\x00\x02" + "\x01\x03lab\x05wrong"
		agreed   = "\x05\x00"
		wants407 = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nProxy-Authenticate: Basic " +
			"realm=\"lab\"\r\n\r\n"
		bound = "\x00\x01\x00\x00\x00\x00\x00\x00"
	)
	working := func(p func(faultlab.Host) *faultlab.Proxy) server {
		return func(h faultlab.Host) string { h.Helper(); return p(h).URL }
	}
	for _, row := range []struct {
		name  string
		serve server
		send  string
		want  seen
	}{
		{"ConnectStatus 407", with(faultlab.ConnectStatus, 407), connect, seen{wants407, silence}},
		{"ConnectStatus 503", with(faultlab.ConnectStatus, 503), connect,
			seen{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", silence}},
		{"ForwardStatus 407", with(faultlab.ForwardStatus, 407), forward, seen{wants407, silence}},
		{"ConnectReset", faultlab.ConnectReset, connect, seen{"", aborted}},
		{"ConnectFin", faultlab.ConnectFin, connect, seen{"", closed}},
		{"ConnectSilent", faultlab.ConnectSilent, connect, seen{"", silence}},
		{"ConnectGarbage", faultlab.ConnectGarbage, connect, seen{"garbage\r\n\r\n", silence}},
		{"SOCKSReply 5", with(faultlab.SOCKSReply, byte(5)), socks, seen{agreed + "\x05\x05" + bound, closed}},
		{"SOCKSReset", faultlab.SOCKSReset, socks, seen{agreed, aborted}},
		{"SOCKSFin", faultlab.SOCKSFin, socks, seen{agreed, closed}},
		{"SOCKSSilent", faultlab.SOCKSSilent, socks, seen{agreed, silence}},
		{"SOCKSNoMethod", faultlab.SOCKSNoMethod, greeting, seen{"\x05\xff", silence}},
		{"SOCKSGarbage", faultlab.SOCKSGarbage, greeting,
			seen{"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", silence}},
		{"SOCKSAuthRefused", faultlab.SOCKSAuthRefused, login, seen{"\x05\x02\x01\x01", closed}},
		{"HTTPProxyWithPassword, none given", working(faultlab.HTTPProxyWithPassword), connect, seen{wants407, closed}},
		{"HTTPProxy, target refuses", working(faultlab.HTTPProxy), connect,
			seen{"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", closed}},
		{"SOCKSProxy, target refuses", working(faultlab.SOCKSProxy), socks, seen{agreed + "\x05\x05" + bound, closed}},
		{"SOCKSProxyWithPassword, not offered", working(faultlab.SOCKSProxyWithPassword), greeting,
			seen{"\x05\xff", closed}},
		{"SOCKSProxyWithPassword, wrong", working(faultlab.SOCKSProxyWithPassword), login,
			seen{"\x05\x02\x01\x01", closed}},
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

func TestUntrustedHTTPSProxy(t *testing.T) {
	got := converseTLS(t, faultlab.UntrustedHTTPSProxy(t), asIs, ample)
	if diff := cmp.Diff(seenTLS{Handshake: "certificate of an unknown authority"}, got); diff != "" {
		t.Errorf("converseTLS(UntrustedHTTPSProxy) (-want +got):\n%s", diff)
	}
}

// TestResetThroughTunnel: the reset of a target reaches the client of a proxy as a reset.
func TestResetThroughTunnel(t *testing.T) {
	target := hostPort(t, faultlab.ResetAfterRequest(t))
	send := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n" + ask
	got := converse(t, faultlab.HTTPProxy(t).URL, send, ample)
	if diff := cmp.Diff(seen{"HTTP/1.1 200 Connection established\r\n\r\n", aborted}, got); diff != "" {
		t.Errorf("converse (-want +got):\n%s", diff)
	}
}
