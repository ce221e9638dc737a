package accuracy

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/bench"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

var (
	full   = flag.Bool("accuracy", false, "measure in every situation and hold the bars, instead of a look at rest")
	update = flag.Bool("update", false, "write the table of docs/accuracy.md")
)

// burner makes the test binary burn CPUs: the share in percent.
const burner = "ERRNO_EXPORTER_BURN"

func TestMain(m *testing.M) {
	if share, err := strconv.Atoi(os.Getenv(burner)); err == nil {
		burn(time.Duration(share) * 100 * time.Microsecond)
	}
	if !bench.ServeIfAsked() {
		os.Exit(m.Run())
	}
}

// burn burns a CPU for a part of every ten milliseconds, until its parent ends.
func burn(part time.Duration) {
	parent := os.Getppid()
	for os.Getppid() == parent {
		began := time.Now()
		for time.Since(began) < part {
		}
		time.Sleep(10*time.Millisecond - part) // the load itself
	}
	os.Exit(0)
}

// load burns both CPUs for a share in percent, until the test ends.
func load(t *testing.T, share int) {
	t.Helper()
	for range 2 {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), burner+"="+strconv.Itoa(share))
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	}
}

// reported is what a prober says of a connection.
type reported struct {
	phases   map[result.Phase]time.Duration
	reliable bool
}

// excess is by how much reports are above the wire, in milliseconds and in their order, by phase, of those that are
// called reliable.
type excess map[result.Phase][]float64

func (e excess) at(p result.Phase, share float64) float64 {
	if len(e[p]) == 0 {
		return 0
	}
	slices.Sort(e[p])
	return e[p][min(len(e[p])-1, int(share*float64(len(e[p]))))]
}

// measured are the phases that the wire knows of.
var measured = []result.Phase{result.Connect, result.TLS, result.Processing, result.Transfer}

// comparison is what came of comparing reports with the wire.
type comparison struct {
	excess     excess
	compared   int // reports that are in excess
	unreliable int // that are marked so
	lost       int // whose connection the capture does not have
}

// compare compares reports with the wire; those that are marked unreliable are left out unless they are wanted. An
// error of the same size below the wire counts as well.
func compare[K comparable](reports map[K]reported, truths map[K]*Truth, alsoUnreliable bool) comparison {
	c := comparison{excess: excess{}}
	for key, r := range reports {
		truth := truths[key]
		if truth == nil || truth.Answered.IsZero() {
			c.lost++
			continue
		}
		if !r.reliable {
			if c.unreliable++; !alsoUnreliable {
				continue
			}
		}
		c.compared++
		wire := map[result.Phase]time.Duration{
			result.Connect: truth.SYNACK.Sub(truth.SYN), result.TLS: truth.Finished.Sub(truth.Hello),
			result.Processing: truth.Answered.Sub(truth.Asked), result.Transfer: truth.Last.Sub(truth.Answered),
		}
		for _, phase := range measured {
			if d, ok := r.phases[phase]; ok {
				c.excess[phase] = append(c.excess[phase],
					max((d-wire[phase]).Seconds()*1e3, (wire[phase]-d).Seconds()*1e3))
			}
		}
	}
	return c
}

// problems are why a comparison of n probes shows too little, where results may be marked unreliable only in part: the
// capture has to have nearly all connections, and half of the results have to be reliable, with every phase.
func (c *comparison) problems(n int, phases []result.Phase) []string {
	var found []string
	if reported := c.compared + c.unreliable + c.lost; reported < n {
		found = append(found, fmt.Sprintf("%d of %d probes were reported", reported, n))
	}
	if c.lost*20 > n {
		found = append(found, fmt.Sprintf("the capture lacks %d of %d connections", c.lost, n))
	}
	if c.compared*2 < n {
		found = append(found, fmt.Sprintf("%d of %d probes were compared, %d were unreliable", c.compared, n,
			c.unreliable))
	}
	for _, phase := range phases {
		if got := len(c.excess[phase]); got < c.compared {
			found = append(found, fmt.Sprintf("%d of %d results have the phase %s", got, c.compared, phase))
		}
	}
	return found
}

// A comparison that shows nothing is a failure, whatever it lacks.
func TestProblems(t *testing.T) {
	phases := []result.Phase{result.Connect}
	at := excess{result.Connect: make([]float64, 90)}
	for _, row := range []struct {
		name string
		c    comparison
		want int
	}{
		{"complete", comparison{at, 90, 10, 0}, 0},
		{"a few lost", comparison{at, 90, 5, 5}, 0},
		{"nothing reported", comparison{}, 2},
		{"nothing captured", comparison{lost: 100}, 2},
		{"a tenth lost", comparison{at, 90, 0, 10}, 1},
		{"all unreliable", comparison{unreliable: 100}, 1},
		{"a phase missing", comparison{excess{}, 90, 10, 0}, 1},
	} {
		if got := row.c.problems(100, phases); len(got) != row.want {
			t.Errorf("%s: %q, want %d problems", row.name, got, row.want)
		}
	}
}

// Two connections from one address are two, and a repeated SYN makes none.
func TestTruthsOfOneAddress(t *testing.T) {
	client, server := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:80")
	start := time.Unix(1_800_000_000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var packets []Packet
	for _, begin := range []int{0, 1000} {
		packets = append(packets, Packet{From: client, To: server, Outgoing: true, SYN: true, At: at(begin)},
			Packet{From: client, To: server, Outgoing: true, SYN: true, At: at(begin + 10)},
			Packet{From: server, To: client, SYN: true, ACK: true, At: at(begin + 20)},
			Packet{From: client, To: server, Outgoing: true, Bytes: 100, Path: "/", At: at(begin + 30)},
			Packet{From: server, To: client, Bytes: 100, At: at(begin + 40)})
	}
	got := Truths(packets)
	if len(got) != 2 {
		t.Fatalf("%d connections, want 2", len(got))
	}
	for use, begin := range []int{0, 1000} {
		want := Truth{SYN: at(begin + 10), SYNACK: at(begin + 20), Path: "/", Asked: at(begin + 30),
			Answered: at(begin + 40), Last: at(begin + 40)}
		if truth := got[Connection{client, use}]; truth == nil || *truth != want {
			t.Errorf("use %d: %+v, want %+v", use, truth, want)
		}
	}
}

// ours probes at a rate, through a Watch, and reports by the connection.
func ours(t *testing.T, w *watch.Watch, m *module.Module, target string, n int,
	every time.Duration) map[Connection]reported {
	t.Helper()
	asked, err := prober.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex // guards reports
	reports := map[Connection]reported{}
	var probing sync.WaitGroup
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for range n {
		<-ticker.C
		probing.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			state, err := w.Probe(ctx, asked, m)
			o := state.Outcome
			if err != nil || o.Result.Failure != nil {
				t.Errorf("Probe(%s): %v, %+v", target, err, o)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			keep(reports, o)
		})
	}
	probing.Wait()
	return reports
}

// keep adds a report; a local address that is used again ended its earlier connection before.
func keep(reports map[Connection]reported, o *watch.Outcome) {
	hop := o.Result.Last().LastHop()
	r := reported{map[result.Phase]time.Duration{}, o.Reliable}
	for _, s := range hop.Spans {
		r.phases[s.Phase] = s.Duration
	}
	connection := Connection{Local: hop.Wire.Local}
	for ; ; connection.Use++ {
		if _, taken := reports[connection]; !taken {
			break
		}
	}
	reports[connection] = r
}

// blackbox probes by blackbox_exporter at a rate, each time with a path of its own, and reports by that.
func blackbox(t *testing.T, exporter, target string, n int, every time.Duration) map[string]reported {
	t.Helper()
	line := regexp.MustCompile(`(?m)^probe_http_duration_seconds\{phase="(connect|processing|transfer)"\} (\S+)$`)
	var mu sync.Mutex // guards reports
	reports := map[string]reported{}
	var probing sync.WaitGroup
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for i := range n {
		<-ticker.C
		probing.Go(func() {
			u := target + "?n=" + strconv.Itoa(i)
			response, err := http.Get(exporter + "/probe?module=http_2xx&target=" + url.QueryEscape(u))
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Error(err)
				return
			}
			r := reported{map[result.Phase]time.Duration{}, true}
			for _, found := range line.FindAllSubmatch(body, -1) {
				seconds, _ := strconv.ParseFloat(string(found[2]), 64)
				r.phases[result.Phase(found[1])] = time.Duration(seconds * 1e9)
			}
			parsed, _ := url.Parse(u)
			mu.Lock()
			defer mu.Unlock()
			reports[parsed.RequestURI()] = r
		})
	}
	probing.Wait()
	return reports
}

// byPath are the truths by the request's path.
func byPath(truths map[Connection]*Truth) map[string]*Truth {
	paths := map[string]*Truth{}
	for _, truth := range truths {
		paths[truth.Path] = truth
	}
	return paths
}

// startBlackbox starts Debian's blackbox_exporter; empty where there is none.
func startBlackbox(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("prometheus-blackbox-exporter")
	if err != nil {
		return ""
	}
	file := t.TempDir() + "/blackbox.yml"
	if err := os.WriteFile(file, []byte("modules: {http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}}\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	address := faultlab.UnusedAddress(t)
	command := exec.Command(path, "--config.file="+file, "--web.listen-address="+address, "--log.level=error")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	for range 100 {
		if response, err := http.Get("http://" + address + "/-/healthy"); err == nil {
			_ = response.Body.Close()
			return "http://" + address
		}
		time.Sleep(50 * time.Millisecond) // until another program listens
	}
	t.Fatal("blackbox_exporter does not listen")
	return ""
}

// situation is how busy the machine is, and what is held then.
type situation struct {
	name string
	load int // percent of both CPUs, by others
	// ms at the 99th percentile, of every phase; 0: of connect and processing 5 ms, or the result is marked unreliable
	bar float64
}

// The phases as reported against the same connections' packets, with an API 50 ms away.
func TestAccuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("takes its time")
	}
	wire, err := Listen()
	if err != nil {
		t.Skipf("a packet capture needs root (CAP_NET_RAW): %v", err)
	}
	defer wire.Close()
	server := bench.Start(t)
	situations := []situation{{"at rest", 0, 1}}
	if *full {
		situations = append(situations, situation{"both cores half busy", 50, 2},
			situation{"both cores 80 % busy", 80, 2}, situation{"both cores fully busy", 100, 0})
	}
	table := "| situation | work | connect | tls | processing | transfer | unreliable " +
		"|\n|---|---|---|---|---|---|---|\n"
	row := func(situation, work string, e excess, unreliable, n int) {
		table += fmt.Sprintf("| %s | %s |", situation, work)
		for _, phase := range measured {
			if len(e[phase]) == 0 {
				table += " – |"
			} else {
				table += fmt.Sprintf(" %.2f / %.2f |", e.at(phase, 0.5), e.at(phase, 0.99))
			}
		}
		table += fmt.Sprintf(" %.0f %% |\n", 100*float64(unreliable)/float64(n))
	}
	const n, every = 400, 10 * time.Millisecond
	for _, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			if s.load > 0 {
				load(t, s.load)
			}
			for _, work := range []struct{ name, url string }{{"HTTP, 100/s", server.HTTP + bench.Delayed},
				{"HTTPS, 100/s", server.HTTPS1 + bench.Delayed}} {
				w := watch.New(watch.Options{Prober: prober.New(prober.Options{UserAgent: "errno_exporter"}),
					Remember: 10, Registry: prometheus.NewRegistry()})
				m := module.New("accuracy")
				m.TLS.RootCAs, m.Timeout = server.Roots, 20*time.Second
				w.Apply(&config.Config{Policy: config.Policy{MaxConcurrent: 1000}})
				wire.Take()
				reports := ours(t, w, m, work.url, n, every)
				c := compare(reports, Truths(settled(t, wire)), false)
				row(s.name, work.name, c.excess, c.unreliable, n)
				hold(t, &s, work.name, &c, n)
				w.Close()
			}
			if !*full {
				return
			}
			if exporter := startBlackbox(t); exporter != "" {
				wire.Take()
				reports := blackbox(t, exporter, server.HTTP+bench.Delayed, n, every)
				c := compare(reports, byPath(Truths(settled(t, wire))), false)
				row(s.name, "blackbox_exporter, HTTP, 100/s", c.excess, 0, n)
				for _, problem := range c.problems(n,
					[]result.Phase{result.Connect, result.Processing, result.Transfer}) {
					t.Errorf("%s, blackbox_exporter: %s", s.name, problem)
				}
			}
		})
	}
	if *full {
		t.Run("500 probes in flight", func(t *testing.T) {
			w := watch.New(watch.Options{Prober: prober.New(prober.Options{UserAgent: "errno_exporter"}), Remember: 10,
				Registry: prometheus.NewRegistry()})
			defer w.Close()
			m := module.New("accuracy")
			m.TLS.RootCAs, m.Timeout = server.Roots, 20*time.Second
			w.Apply(&config.Config{Policy: config.Policy{MaxConcurrent: 500}})
			wire.Take()
			// more than the CPUs can do: 500 are always under way
			reports := ours(t, w, m, server.HTTPS1+bench.Delayed, 3000, 100*time.Microsecond)
			truths := Truths(settled(t, wire))
			all := compare(reports, truths, true)
			row("saturated by itself: 500 in flight, also what is marked unreliable", "HTTPS", all.excess,
				all.unreliable, 3000)
			for _, problem := range all.problems(3000, measured) {
				t.Errorf("500 in flight: %s", problem)
			}
			c := compare(reports, truths, false)
			hold(t, &situation{"500 in flight", 0, 0}, "HTTPS", &c, 3000)
		})
		t.Run("1,000 targets in one scrape", func(t *testing.T) {
			w := watch.New(watch.Options{Prober: prober.New(prober.Options{UserAgent: "errno_exporter"}), Remember: 10,
				Registry: prometheus.NewRegistry()})
			defer w.Close()
			w.Apply(server.Config(t, server.HTTPS1+bench.Delayed, 1000))
			wire.Take()
			reports := map[Connection]reported{}
			for _, state := range w.Scrape(t.Context(), 9500*time.Millisecond) {
				keep(reports, state.Outcome)
			}
			c := compare(reports, Truths(settled(t, wire)), false)
			row("1,000 HTTPS targets in one scrape", "HTTPS", c.excess, c.unreliable, 1000)
			hold(t, &situation{"1,000 targets", 0, 2}, "HTTPS", &c, 1000)
		})
	}
	t.Logf("excess over the wire, p50 / p99 in ms\n%s", table)
	if *update {
		writeTable(t, table)
	}
}

// settled waits until the capture has read what has passed, and takes it.
func settled(t *testing.T, w *Wire) []Packet {
	t.Helper()
	if err := w.Settle(); err != nil {
		t.Fatal(err)
	}
	return w.Take()
}

// hold holds the bars. At rest, where other tests may run beside this one, only the median is held unless all is
// measured. Where the results may be marked unreliable instead, all of them may.
func hold(t *testing.T, s *situation, work string, c *comparison, n int) {
	t.Helper()
	phases := measured
	if strings.HasPrefix(work, "HTTP,") {
		phases = []result.Phase{result.Connect, result.Processing, result.Transfer}
	}
	if problems := c.problems(n, phases); s.bar > 0 && len(problems) > 0 {
		t.Errorf("%s, %s: %s", s.name, work, strings.Join(problems, "; "))
	}
	for _, phase := range measured {
		bar, share := s.bar, 0.99
		if bar == 0 {
			if bar = 5; phase == result.TLS || phase == result.Transfer {
				continue
			}
		}
		if !*full {
			share = 0.5
		}
		if got := c.excess.at(phase, share); got > bar {
			t.Errorf("%s, %s: %s is off by %.2f ms at the percentile %.0f, want at most %.0f", s.name, work, phase, got,
				100*share, bar)
		}
	}
}

func writeTable(t *testing.T, table string) {
	t.Helper()
	const file = "../../docs/accuracy.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)(<!-- accuracy -->\n).*(<!-- end of accuracy -->)`)
	if err := os.WriteFile(file, []byte(block.ReplaceAllString(string(page),
		"${1}"+strings.ReplaceAll(table, "$", "$$")+"${2}")), 0o644); err != nil {
		t.Fatal(err)
	}
}
