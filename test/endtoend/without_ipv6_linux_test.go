package endtoend

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab/netlab"
)

// IPv6 is switched off (ipv6(7)), before the exporter starts or while it runs: its listeners for every address answer
// over IPv4, and what cannot be listened on is said at once.
func TestListenersWithoutIPv6(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	const everything, everythingToo, loopback6 = ":19115", "[::]:19116", "[::1]:19117"
	n := netlab.New(t)
	run := func(name string, args ...string) *exec.Cmd { return n.Command(netlab.C, name, args...) }
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return n.Dial(ctx, netlab.C, network, addr)
		}}}
	flags := []string{"--web.listen-address=" + everything, "--web.listen-address=" + everythingToo}
	answers := func(d *daemon, port string, want map[string]bool) {
		t.Helper()
		for _, host := range []string{"127.0.0.1", "[::1]"} {
			response, err := client.Get("http://" + host + port + "/metrics")
			if err == nil {
				_ = response.Body.Close()
			}
			if got := err == nil && response.StatusCode == http.StatusOK; got != want[host] {
				t.Errorf("%s%s answers: %t, want %t: %v", host, port, got, want[host], err)
			}
		}
	}
	only4, both := map[string]bool{"127.0.0.1": true}, map[string]bool{"127.0.0.1": true, "[::1]": true}
	ports := []string{":19115", ":19116"}
	d := runDaemonBy(t, run, client, plainModule, "", flags...)
	for _, step := range []struct {
		off  string
		want map[string]bool
	}{{"0", both}, {"1", only4}, {"0", both}} {
		n.Sysctl(netlab.C, "net.ipv6.conf.all.disable_ipv6", step.off)
		n.Sysctl(netlab.C, "net.ipv6.conf.lo.disable_ipv6", step.off)
		for _, port := range ports {
			answers(d, port, step.want)
		}
	}
	if err := d.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = d.Wait() // it was killed
	n.Sysctl(netlab.C, "net.ipv6.conf.all.disable_ipv6", "1")
	d = runDaemonBy(t, run, client, plainModule, "", flags...)
	for _, port := range ports {
		answers(d, port, only4)
	}
	file := filepath.Join(t.TempDir(), "exporter.yml")
	if err := os.WriteFile(file, []byte(plainModule), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(exporter, "--config.file="+file, "--web.listen-address="+loopback6).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "listen tcp "+loopback6+": bind: cannot assign requested address") {
		t.Errorf("listening on %s without IPv6: %v, %s, want an error that names the address", loopback6, err, out)
	}
}
