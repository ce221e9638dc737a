package endtoend

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
)

// The kernel counts what makes a probe fail, and the record has it: the exporter's, which is complete soon after the
// failure, and that of the command probe.
func TestKernelCountersInRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	t.Parallel()
	n := netlab.New(t)
	for _, family := range []string{"-4", "-6"} {
		if out, err := n.Command(netlab.C, "ip", family, "route", "del", "default").CombinedOutput(); err != nil {
			t.Fatalf("ip route del default: %v: %s", err, out)
		}
	}
	n.Filter(netlab.R1, "prerouting", "tcp dport 81 drop")
	n.Filter(netlab.C, "output", "tcp dport 82 drop")
	run := func(name string, args ...string) *exec.Cmd { return n.Command(netlab.C, name, args...) }
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return n.Dial(ctx, netlab.C, network, addr)
		}}}
	configuration := "modules:\n" + faultlab.Module("plain", 2*time.Second, faultlab.RootsPEM())
	d := runDaemonBy(t, run, client, configuration, "")
	file := filepath.Join(t.TempDir(), "exporter.yml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	router := netlab.V4.Addr(netlab.R1).String()
	for _, row := range []struct{ name, url, counter, verdict string }{
		{"no route, IPv4", "http://192.0.2.1/", "IpOutNoRoutes", "no_egress us"},
		{"no route, IPv6", "http://[2001:db8::1]/", "Ip6OutNoRoutes", "no_egress us"},
		{"SYNs are dropped", "http://" + router + ":81/", "TcpExtTCPSynRetrans", "unknown unknown"},
		{"a rule of this host drops SYNs, IPv4", "http://" + router + ":82/", "TcpExtTCPRetransFail", "firewall_drop us"},
		{"a rule of this host drops SYNs, IPv6", "http://[" + netlab.V6.Addr(netlab.R1).String() + "]:82/",
			"TcpExtTCPRetransFail", "firewall_drop us"},
	} {
		d.get(t, "/probe?module=plain&target="+row.url)
		rose := regexp.MustCompile(`(?m)^  ` + row.counter + ` +\+\d+  \S`)
		eventually(t, row.name+": the record has "+row.counter, func() (string, bool) {
			_, page := d.get(t, "/logs?module=plain&target="+row.url)
			return page, rose.MatchString(page)
		})
		var record struct {
			Kernel struct {
				From, To time.Time
				Changed  []struct {
					Name    string
					By      int
					Meaning string
				}
			} `json:"kernel_counters"`
			Verdict struct{ Cause, Party string }
		}
		out, err := run(exporter, "probe", "--config.file="+file, "-m", "plain", "-o", "json", row.url).Output()
		if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 2 {
			t.Fatalf("%s: %v, want status 2", row.name, err)
		}
		if err := json.Unmarshal(out, &record); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, c := range record.Kernel.Changed {
			found = found || c.Name == row.counter && c.By > 0 && c.Meaning != ""
		}
		if k := record.Kernel; !found || !k.From.Before(k.To) {
			t.Errorf("%s: the JSON has %+v, want %s in an interval", row.name, k, row.counter)
		}
		if got := record.Verdict.Cause + " " + record.Verdict.Party; got != row.verdict {
			t.Errorf("%s: the verdict is %s, want %s", row.name, got, row.verdict)
		}
	}
	_, page := d.get(t, "/metrics")
	if !regexp.MustCompile(`(?m)^errno_exporter_host_no_route_total [2-9]`).MatchString(page) {
		t.Errorf("/metrics without the packets that had no route:\n%s", page)
	}
}
