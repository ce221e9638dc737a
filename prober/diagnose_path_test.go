package prober

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// A path trace leaves from the module's source address, and goes nowhere that the policy denies.
func TestPathTrace(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	addr := socket.AddrPort(listener.Addr())
	here := []result.PathHop{{From: addr.Addr(), Reached: true}}
	for _, row := range []struct {
		name   string
		source string // source_ip_address
		target Target
		want   []result.PathHop
		from   string // as the listener sees it; empty where it sees nothing
	}{
		{"the kernel's choice", "", Target{}, here, "127.0.0.1"},
		{"a source address", "127.0.0.9", Target{}, here, "127.0.0.9"},
		{"a source address that this host does not have", "192.0.2.1", Target{}, []result.PathHop{{}, {}, {}}, ""},
		{"a denied network", "", Target{Policy: &module.Networks{
			DenyNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}, nil, ""},
	} {
		m := module.New("trace")
		if row.source != "" {
			m.SourceIP = netip.MustParseAddr(row.source)
		}
		r := &result.Result{Attempts: []result.Attempt{{Hops: []result.Hop{{Addr: addr}}}}}
		got := New(Options{}).tracePath(t.Context(), &subject{target: row.target, result: r, module: m})
		if diff := cmp.Diff(row.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", row.name, diff)
		}
		if row.from == "" {
			continue
		}
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if from := socket.AddrPort(conn.RemoteAddr()).Addr().String(); from != row.from {
			t.Errorf("%s: the listener saw %s, want %s", row.name, from, row.from)
		}
		_ = conn.Close() // it has done its work
	}
}

// Neither a closed port nor a TTL is tried at an address that the policy denies.
func TestExperimentsObeyThePolicy(t *testing.T) {
	if !socket.FiltersTTL {
		t.Skip("TTLs are measured on Linux only")
	}
	addr := netip.MustParseAddrPort("127.0.0.1:1")
	denied := &module.Networks{DenyNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for _, row := range []struct {
		name   string
		target Target
		ttl    uint8         // that is measured
		reason result.Reason // of the closed port
	}{
		{"no policy", Target{}, 64, result.TCPRefused},
		{"a denied network", Target{Policy: denied}, 0, result.LocalDenied},
		{"a denied network, and a configured target", Target{Policy: denied, Configured: true}, 64, result.TCPRefused},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := &result.Result{Attempts: []result.Attempt{{Hops: []result.Hop{{Addr: addr}}}},
				Failure: &result.Failure{Phase: result.Connect, Reason: result.TCPRefused}}
			s := &subject{target: row.target, result: r, module: module.New("policy")}
			p := New(Options{})
			if got := p.distance(t.Context(), s).RSTTTL; got != row.ttl {
				t.Errorf("measured a TTL of %d, want %d", got, row.ttl)
			}
			if got := p.knock(t.Context(), s).Failure; got == nil || got.Reason != row.reason {
				t.Errorf("the closed port: %+v, want %s", got, row.reason)
			}
		})
	}
}
