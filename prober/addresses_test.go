package prober_test

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// backends serves by a handler for each address, all on one port, and returns the URL of the name that has them all.
func backends(t *testing.T, handlers map[string]http.Handler) (url string, names map[string][]netip.Addr) {
	t.Helper()
	port, name := "0", "api.test"
	var addresses []netip.Addr
	for _, address := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "::1"} {
		handler := handlers[address]
		if handler == nil {
			continue
		}
		served := faultlab.HandlerOn(t, net.JoinHostPort(address, port), handler)
		_, port, _ = net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(served, "http://"), "/"))
		addresses = append(addresses, netip.MustParseAddr(address))
	}
	return "http://" + name + ":" + port + "/", map[string][]netip.Addr{name: addresses}
}

// addressed is what a test compares of a probe of all addresses.
type addressed struct {
	Reason    result.Reason // of the probe
	Attempts  int           // of the address that decided
	Addresses []string      // each with its reason, "ok" for none, sorted as the resolver gave them
	Decided   string        // the address whose attempts the probe shows
}

func TestAddresses(t *testing.T) {
	ok, bad := http.Handler(faultlab.Healthy), faultlab.Resetting
	five := map[string]http.Handler{"127.0.0.1": ok, "127.0.0.2": ok, "127.0.0.3": ok, "127.0.0.4": bad,
		"127.0.0.5": ok}
	for _, row := range []struct {
		name     string
		handlers map[string]http.Handler
		change   func(*module.Module)
		want     addressed
	}{
		{"one bad backend among five", five, func(*module.Module) {}, addressed{result.TCPReset, 1,
			[]string{"127.0.0.1 ok", "127.0.0.2 ok", "127.0.0.3 ok", "127.0.0.4 tcp.reset", "127.0.0.5 ok"},
			"127.0.0.4"}},
		{"one bad backend among five, and any will do", five, func(m *module.Module) { m.AnyAddress = true },
			addressed{"", 1,
				[]string{"127.0.0.1 ok", "127.0.0.2 ok", "127.0.0.3 ok", "127.0.0.4 tcp.reset", "127.0.0.5 ok"},
				"127.0.0.1"}},
		{"the first is bad, and any will do", map[string]http.Handler{"127.0.0.1": bad, "127.0.0.2": ok},
			func(m *module.Module) { m.AnyAddress = true },
			addressed{"", 1, []string{"127.0.0.1 tcp.reset", "127.0.0.2 ok"}, "127.0.0.2"}},
		{"all are bad, and any would do", map[string]http.Handler{"127.0.0.1": bad, "127.0.0.2": bad},
			func(m *module.Module) { m.AnyAddress = true },
			addressed{result.TCPReset, 1, []string{"127.0.0.1 tcp.reset", "127.0.0.2 tcp.reset"}, "127.0.0.1"}},
		{"all are good", map[string]http.Handler{"127.0.0.1": ok, "127.0.0.2": ok}, func(*module.Module) {},
			addressed{"", 1, []string{"127.0.0.1 ok", "127.0.0.2 ok"}, "127.0.0.1"}},
		{"both families", map[string]http.Handler{"127.0.0.1": ok, "::1": bad}, func(*module.Module) {},
			addressed{result.TCPReset, 1, []string{"127.0.0.1 ok", "::1 tcp.reset"}, "::1"}},
		{"one family only", map[string]http.Handler{"127.0.0.1": ok, "::1": bad},
			func(m *module.Module) { m.IPProtocolFallback = false },
			addressed{"", 1, []string{"127.0.0.1 ok"}, "127.0.0.1"}},
		{"each has its retries", map[string]http.Handler{"127.0.0.1": ok, "127.0.0.2": bad},
			func(m *module.Module) {
				m.Retry = module.Retry{Attempts: 3, InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond}
			},
			addressed{result.TCPReset, 3, []string{"127.0.0.1 ok", "127.0.0.2 tcp.reset"}, "127.0.0.2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			url, names := backends(t, row.handlers)
			r := probeAll(t, url, faultlab.DNS(t, names), row.change)
			got := addressed{Attempts: len(r.Attempts), Decided: r.Last().LastHop().Addr.Addr().String()}
			if r.Failure != nil {
				got.Reason = r.Failure.Reason
			}
			for i := range r.Addresses {
				text := "ok"
				if f := r.Addresses[i].Failure; f != nil {
					text = string(f.Reason)
				}
				got.Addresses = append(got.Addresses, r.Addresses[i].Addr.String()+" "+text)
			}
			slicesSortFamilies(got.Addresses)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// slicesSortFamilies puts IPv4 first: the resolver sorts by what it thinks of this host's routes.
func slicesSortFamilies(all []string) {
	four, six := []string{}, []string{}
	for _, text := range all {
		if strings.HasPrefix(text, "127.") {
			four = append(four, text)
		} else {
			six = append(six, text)
		}
	}
	copy(all, append(four, six...))
}

func probeAll(t *testing.T, url, resolver string, change func(*module.Module)) result.Result {
	t.Helper()
	m := module.New("all")
	m.PreferIPv6, m.AllAddresses, m.Timeout = false, true, 20*time.Second
	change(m)
	target, err := prober.ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	return prober.New(prober.Options{UserAgent: "test", Resolver: resolver}).Probe(t.Context(), target, m)
}

// A name with more addresses than are probed, and names without any.
func TestAddressesAreBounded(t *testing.T) {
	var many []netip.Addr
	for i := range 40 {
		many = append(many, netip.MustParseAddr("127.0.1."+strconv.Itoa(i+1)))
	}
	resolver := faultlab.DNS(t, map[string][]netip.Addr{"many.test": many})
	for _, row := range []struct {
		name, host string
		want       int
		reason     result.Reason
	}{
		{"forty", "many.test", 16, result.TCPRefused},
		{"a literal", "127.0.1.1", 1, result.TCPRefused},
		{"no such name", "none.test", 0, result.DNSNameNotResolved},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, port, _ := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(faultlab.ClosedPort(t), "http://"),
				"/"))
			r := probeAll(t, fmt.Sprintf("http://%s:%s/", row.host, port), resolver, func(*module.Module) {})
			if len(r.Addresses) != row.want || r.Failure == nil || r.Failure.Reason != row.reason {
				t.Errorf("%d addresses, %+v, want %d, %s", len(r.Addresses), r.Failure, row.want, row.reason)
			}
		})
	}
}
