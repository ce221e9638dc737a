package incidents

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/test/build"
)

// built is the path of the exporter, which TestMain builds.
var built string

func TestMain(m *testing.M) {
	build.Exporter(m, "../..", &built)
}

// exporter is a running exporter on the node C.
type exporter struct {
	address string
	client  *http.Client
}

// modules are the modules of all incidents, without and with noise: lost packets cost a second and more.
func modules() string {
	text := "modules:\n"
	for name, keys := range moduleKeys {
		secure := "        server_name: lab.test\n"
		if own := moduleTLS[name]; own != "" {
			secure = "        " + own + "\n"
		}
		quiet := faultlab.Module(name, 2*time.Second, faultlab.RootsPEM(), keys...) + secure
		noisy := faultlab.Module(name+"_noise", 3*time.Second, faultlab.RootsPEM(), keys...) + secure
		keys = append(slices.Clone(keys), "diagnose: {on_failure: true}")
		quiet += faultlab.Module(name+"_experiments", 2*time.Second, faultlab.RootsPEM(), keys...) + secure
		text += strings.ReplaceAll(quiet, "ADDRESS", quietAddress) + strings.ReplaceAll(noisy, "ADDRESS", noisyAddress)
	}
	return text
}

// targets are the targets of all incidents that an exporter for a kind has. Those with noise have one more, in another
// network, that fails.
func targets(all []incident, by kind) string {
	text := "targets:\n"
	if by.noisy {
		text += "- {name: other, url: 'http://10.9.2.2:81/', module: m}\n"
	}
	for n := range all {
		i := &all[n]
		for at, k := range i.kinds() {
			if k.raw == by.raw && k.noisy == by.noisy {
				name, url, module := i.target(k, at)
				text += fmt.Sprintf("- {name: %q, url: %q, module: %s}\n", name, url, module)
			}
		}
	}
	return text
}

// startExporter runs an exporter for a kind.
func (s *site) startExporter(all []incident, k kind, port string) *exporter {
	s.Helper()
	file := s.write("exporter-"+port+".yml", modules()+targets(all, k))
	e := &exporter{address: net.JoinHostPort(netlab.V4.Addr(netlab.C).String(), port)}
	e.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return s.net.Dial(ctx, netlab.C, network, addr)
		}}}
	s.Cleanup(e.client.CloseIdleConnections)
	command := []string{built, "--config.file=" + file, "--web.listen-address=" + e.address, "--log.level=error",
		"--history.limit=10000"}
	if !k.raw {
		command = append([]string{"setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"}, command...)
	}
	s.start(netlab.C, command[0], command[1:]...)
	s.eventually("the exporter answers", func() bool {
		response, err := e.client.Get("http://" + e.address + "/-/healthy")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return e
}

// said is what the exporter says of a probe.
type said struct {
	ok                      bool
	reliable                bool // the exporter had CPU time enough
	starved                 bool // the machine had none to spare
	began, ended            time.Time
	err                     error  // the exporter did not answer
	labels                  string // phase, reason, errno, origin
	cause, party, confident string
}

var (
	infoLine    = regexp.MustCompile(`(?m)^probe_(failure|cause)_info\{(.*)\} 1$`)
	labelPair   = regexp.MustCompile(`(\w+)="([^"]*)"`)
	unreliable  = regexp.MustCompile(`(?m)^probe_reliable 0$`)
	successLine = regexp.MustCompile(`(?m)^probe_success 1$`)
)

// probe probes a configured target once.
func (e *exporter) probe(target string) (said, error) {
	query := url.Values{"target": {target}}
	response, err := e.client.Get("http://" + e.address + "/probe?" + query.Encode())
	if err != nil {
		return said{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return said{}, err
	}
	if response.StatusCode != http.StatusOK {
		return said{}, fmt.Errorf("%s: %s: %s", target, response.Status, body)
	}
	text := string(body)
	got := said{ok: successLine.MatchString(text), reliable: !unreliable.MatchString(text), cause: "none"}
	labels := map[string]string{}
	for _, line := range infoLine.FindAllStringSubmatch(text, -1) {
		for _, pair := range labelPair.FindAllStringSubmatch(line[2], -1) {
			labels[pair[1]] = pair[2]
		}
	}
	if labels["phase"] != "" {
		got.labels = strings.Join([]string{labels["phase"], labels["reason"], or(labels["errno"], "-"),
			or(labels["origin"], "-")}, " ")
	}
	if labels["cause"] != "" {
		got.cause, got.confident, got.party = labels["cause"], labels["confidence"], labels["party"]
	}
	return got, nil
}

// experimentsTake is more than the experiments after a failure that ends at once take on any machine.
const experimentsTake = time.Minute

// awaitExperiments waits until the record of a target's newest probe has the experiments that were made after it. The
// verdict of the next probe knows of them. An exporter without CPU time makes none.
func (s *site) awaitExperiments(e *exporter, target string) {
	address := "http://" + e.address + "/logs?" + url.Values{"target": {target}}.Encode()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for until := time.Now().Add(experimentsTake); ; <-ticker.C {
		response, err := e.client.Get(address)
		if err != nil {
			s.Errorf("the record of %s: %v", target, err)
			return
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		switch {
		case err != nil || response.StatusCode != http.StatusOK:
			s.Errorf("the record of %s: %s: %s, %v", target, response.Status, body, err)
			return
		case strings.Contains(string(body), "\nExperiments\n"):
			return
		case time.Now().After(until):
			s.Logf("%s has no experiments after %s:\n%s", target, experimentsTake, body)
			return
		}
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
