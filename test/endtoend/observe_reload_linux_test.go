package endtoend

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
)

// hold opens connections of the application to an address, which stay open until the test ends.
func hold(t *testing.T, n *netlab.Net, address string, count int) {
	t.Helper()
	for range count {
		conn, err := n.Dial(t.Context(), netlab.C, "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}

// A reload turns observing on and off, at any time and several times. Of what is observed, each connection counts for
// its target or its network, and for no target behind a proxy.
func TestObserveByReload(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	t.Parallel()
	n := netlab.New(t)
	server, network := netlab.V4.Addr(netlab.S), netip.PrefixFrom(netlab.V4.Addr(netlab.S), 24).Masked()
	address := func(port int) string { return fmt.Sprintf("%s:%d", server, port) }
	const target, other, proxy = 8080, 8081, 8082
	for _, port := range []int{target, other, proxy} {
		go resetsIdle(n.Listen(netlab.S, "tcp", address(port)), time.Hour)
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return n.Dial(ctx, netlab.C, network, addr)
		}}}
	configuration := "modules:\n" + faultlab.Module("http_2xx", 5*time.Second, faultlab.RootsPEM()) +
		fmt.Sprintf("  proxied: {prober: http, http: {proxy_url: 'http://%s'}}\n", address(proxy)) +
		fmt.Sprintf("targets: [{name: api, url: 'http://%s/'}, {name: behind, url: 'http://%s/', module: proxied}]\n",
			address(target), address(proxy))
	d := runDaemonBy(t, func(name string, args ...string) *exec.Cmd { return n.Command(netlab.C, name, args...) },
		client, configuration, "")
	hold(t, n, address(target), 2)
	hold(t, n, address(other), 3)
	hold(t, n, address(proxy), 4)

	series := regexp.MustCompile(`(?m)^(?:errno_exporter_observe_enabled .*|app_connections\{state="established".*|` +
		`app_connections_opened_total\{target="[a-z].*|probe_success.*)`)
	probed := []string{`probe_success{target="api"} 1`, `probe_success{target="behind"} 1`}
	observed := func(networks ...string) []string {
		return slices.Concat([]string{`app_connections{state="established",target="api"} 2`,
			`app_connections{state="established",target="behind"} 0`}, networks)
	}
	for _, row := range []struct {
		name, keys string
		want       []string
	}{
		{"off at the start", "", []string{`errno_exporter_observe_enabled 0`}},
		{"on", "observe: {interval: 1s}\n", append(observed(`app_connections_opened_total{target="api"} 2`,
			`app_connections_opened_total{target="behind"} 0`), `errno_exporter_observe_enabled 1`)},
		{"on, with a network", fmt.Sprintf("observe: {interval: 1s, networks: [%s]}\n", network),
			append(observed(
				fmt.Sprintf(`app_connections{state="established",target="%s"} 7`, network),
				`app_connections_opened_total{target="api"} 2`,
				`app_connections_opened_total{target="behind"} 0`), `errno_exporter_observe_enabled 1`)},
		{"off", "observe: false\n", []string{`errno_exporter_observe_enabled 0`}},
		{"on again", "observe: {interval: 1s}\n", append(observed(`app_connections_opened_total{target="api"} 2`,
			`app_connections_opened_total{target="behind"} 0`), `errno_exporter_observe_enabled 1`)},
	} {
		d.reload(t, row.keys+configuration)
		want := slices.Sorted(slices.Values(append(row.want, probed...)))
		eventually(t, row.name+", "+fmt.Sprintf("%q", want), func() (string, bool) {
			_, page := d.get(t, "/metrics")
			got := slices.Sorted(slices.Values(series.FindAllString(page, -1)))
			return fmt.Sprintf("%q", got), slices.Equal(got, want)
		})
	}
}

// reload writes the configuration and has the exporter read it.
func (d *daemon) reload(t *testing.T, configuration string) {
	t.Helper()
	if err := os.WriteFile(d.file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	response, err := d.client.Post("http://"+d.address+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("reload: %s", response.Status)
	}
}
