package endtoend

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
)

// apis is how many APIs each exporter of a scenario probes.
const apis = 4

// apiConfiguration is that of an exporter that probes the APIs at these URLs.
func apiConfiguration(urls [apis]string) string {
	var text strings.Builder
	text.WriteString("modules:\n  api: {prober: http, timeout: 1s}\ntargets:\n")
	for i, url := range urls {
		fmt.Fprintf(&text, "  - {name: api-%d, url: %q, module: api}\n", i, url)
	}
	return text.String()
}

// runExporter starts an exporter at an address.
func runExporter(t *testing.T, address, configuration string) *exec.Cmd {
	t.Helper()
	return start(t, "http://"+address+"/-/ready", exporter, "--web.listen-address="+address,
		"--config.file="+write(t, t.TempDir(), "exporter.yml", configuration))
}

// healthyBut is APIs of which the first resets connections while it is broken.
func healthyBut(t *testing.T, broken *atomic.Bool) [apis]string {
	t.Helper()
	var urls [apis]string
	for i := range urls {
		urls[i] = faultlab.Handler(t, faultlab.Healthy)
	}
	urls[0] = faultlab.ResetWhen(t, broken.Load)
	return urls
}

func brokenTarget(t *testing.T) scene {
	var broken atomic.Bool
	address := faultlab.UnusedAddress(t)
	runExporter(t, address, apiConfiguration(healthyBut(t, &broken)))
	return scene{[]exporting{{address, "eu"}}, func() { broken.Store(true) }, func() { broken.Store(false) }}
}

func downEverywhere(t *testing.T) scene {
	var broken atomic.Bool
	s := scene{breaks: func() { broken.Store(true) }, fix: func() { broken.Store(false) }}
	urls := healthyBut(t, &broken)
	for _, vantage := range []string{"eu", "eu", "us", "us", "ap", "ap"} {
		address := faultlab.UnusedAddress(t)
		runExporter(t, address, apiConfiguration(urls))
		s.exporters = append(s.exporters, exporting{address, vantage})
	}
	return s
}

func deadExporter(t *testing.T) scene {
	address := faultlab.UnusedAddress(t)
	configuration := apiConfiguration(healthyBut(t, new(atomic.Bool)))
	running := runExporter(t, address, configuration)
	return scene{[]exporting{{address, "eu"}}, func() {
		if err := running.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}, func() { runExporter(t, address, configuration) }}
}

func deadEgress(t *testing.T) scene     { return withoutRoute(t, "") }
func deadReferences(t *testing.T) scene { return withoutRoute(t, references) }

const references = `
control_targets:
  - {name: near, address: "10.9.3.2:80", kind: network}
  - {name: far, address: "10.9.4.2:80", kind: network}
`

// withoutRoute is an exporter on a host of its own, whose router loses its route to everything else, and APIs in two
// networks. The router says so: a silent one would make each check of the reference targets longer than a scrape at pace.
func withoutRoute(t *testing.T, more string) scene {
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	n := netlab.New(t)
	n.IP(netlab.S, "addr", "add", "10.9.4.2/24", "dev", "left")
	n.IP(netlab.R2, "route", "add", "10.9.4.0/24", "via", "10.9.3.2")
	n.IP(netlab.R1, "route", "add", "10.9.4.0/24", "via", "10.9.2.2")
	var urls [apis]string
	for i, address := range []string{"10.9.3.2:80", "10.9.4.2:80"} {
		server := &http.Server{Handler: faultlab.Healthy} //nolint:gosec // a test's
		listener := n.Listen(netlab.S, "tcp", address)
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(listener) })
		t.Cleanup(func() { _ = server.Close(); serving.Wait() })
		urls[i], urls[i+2] = "http://"+address+"/", "http://"+address+"/second"
	}
	inside := faultlab.UnusedAddress(t)
	outside := relay(t, func() (net.Conn, error) { return n.Dial(context.Background(), netlab.C, "tcp", inside) })
	command := n.Command(netlab.C, exporter, "--web.listen-address="+inside,
		"--config.file="+write(t, t.TempDir(), "exporter.yml", apiConfiguration(urls)+more))
	start(t, "http://"+outside+"/-/ready", command.Path, command.Args[1:]...)
	return scene{[]exporting{{outside, "eu"}},
		func() { n.Filter(netlab.R1, "forward", "reject with icmpx type no-route") },
		func() { n.NFT(netlab.R1, "delete table inet lab\n") }}
}

// relay is an address whose connections go on by another way.
func relay(t *testing.T, dial func() (net.Conn, error)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var relaying sync.WaitGroup
	relaying.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return // closed by the cleanup
			}
			relaying.Go(func() {
				defer from.Close()
				to, err := dial()
				if err != nil {
					return // the exporter is not there yet
				}
				defer to.Close()
				relaying.Go(func() { _, _ = io.Copy(to, from); _ = to.Close() })
				_, _ = io.Copy(from, to)
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); relaying.Wait() })
	return listener.Addr().String()
}
