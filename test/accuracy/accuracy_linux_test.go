package accuracy

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/bench"
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
		table += fmt.Sprintf("| %s | %s |%s %.0f %% |\n", situation, work, e.cells(measured),
			100*float64(unreliable)/float64(n))
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
				c := comparison{}
				// A machine that is busy with something else leaves too little that is reliable: then it is measured again.
				for measured := 0; measured < 5 && c.compared*2 < n; measured++ {
					wire.Take()
					reports := ours(t, w, m, work.url, n, every)
					c = compare(reports, Truths(settled(t, wire), TLS13), false)
				}
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
				c := compare(reports, byPath(Truths(settled(t, wire), TLS13)), false)
				row(s.name, "blackbox_exporter, HTTP, 100/s", c.excess, 0, n)
				for _, problem := range c.problems(n,
					[]result.Phase{result.Connect, result.Processing, result.Transfer}) {
					t.Errorf("%s, blackbox_exporter: %s", s.name, problem)
				}
			}
		})
	}
	if *full {
		for _, work := range []struct {
			name, url string
			shape     Shape
		}{
			{"HTTP, 200/s", server.HTTP, Shape{}},
			{"HTTPS, HTTP/1.1, 200/s", server.HTTPS1, TLS13},
			{"HTTPS, HTTP/2, 200/s", server.HTTPS2, Shape{Flights: 2, Answers: 1, HTTP2: true}},
		} {
			s := situation{"1,000 targets in one scrape", 0, 1}
			t.Run(s.name+", "+work.name, func(t *testing.T) {
				c := compare(scraped(t, wire, &server, work.url), Truths(settled(t, wire), work.shape), false)
				row(s.name, work.name, c.excess, c.unreliable, 1000)
				hold(t, &s, work.name, &c, 1000)
			})
		}
	}
	t.Logf("excess over the wire, p50 / p99 in ms\n%s", table)
	if *update {
		writeTable(t, "accuracy", table)
	}
}

// scraped are the reports of 1,000 targets that one scrape has probed.
func scraped(t *testing.T, wire *Wire, server *bench.Server, url string) map[Connection]reported {
	t.Helper()
	w := watch.New(watch.Options{Prober: prober.New(prober.Options{UserAgent: "errno_exporter"}), Remember: 10,
		Registry: prometheus.NewRegistry()})
	defer w.Close()
	w.Apply(server.Config(t, url+bench.Delayed, 1000))
	wire.Take()
	reports := map[Connection]reported{}
	for _, state := range w.Scrape(t.Context(), 9500*time.Millisecond) {
		note(reports, state.Outcome)
	}
	return reports
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
	holdBars(t, s, work, c)
}

// holdBars holds the bars of what was compared, however little that is.
func holdBars(t *testing.T, s *situation, work string, c *comparison) {
	t.Helper()
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

func writeTable(t *testing.T, name, table string) {
	t.Helper()
	const file = "../../docs/accuracy.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)(<!-- ` + name + ` -->\n).*(<!-- end of ` + name + ` -->)`)
	if err := os.WriteFile(file, []byte(block.ReplaceAllString(string(page),
		"${1}"+strings.ReplaceAll(table, "$", "$$")+"${2}")), 0o644); err != nil {
		t.Fatal(err)
	}
}
