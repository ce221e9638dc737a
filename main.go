// Command errno_exporter probes HTTP APIs for Prometheus and says in which phase a call failed, why, and with which errno.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/demo"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/history"
	"errno_exporter/internal/logs"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/reset"
	"errno_exporter/internal/watch"
	"errno_exporter/internal/web"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

const (
	readHeaderTimeout = 10 * time.Second
	maxHeaderBytes    = 64 << 10
	idleTimeout       = 2 * time.Minute
	maxShutdown       = time.Hour
	maxHistory        = 100_000
	maxRemember       = 1_000_000
	lastLines         = time.Second // for the last lines of the log to be written
	minReloadInterval = 100 * time.Millisecond
)

func main() {
	o := parseFlags(os.Args[1:])
	if o.check {
		os.Exit(checkConfig(o))
	}
	if o.probe != nil {
		os.Exit(runProbe(&o))
	}
	err := serve(o)
	if err != nil {
		o.logger.Error("Exiting", "err", err)
	}
	o.logs.Close(lastLines)
	if err != nil {
		os.Exit(1)
	}
}

// options is the command line.
type options struct {
	check         bool          // only load the configuration
	probe         *probeOptions // the command probe; nil for others
	configFile    string
	configGiven   bool          // by the user: the file must exist
	autoReload    time.Duration // how often to look for changes; 0: never
	timeoutOffset time.Duration
	shutdown      time.Duration // for the scrapes under way
	capture       bool          // see who resets
	historyLimit  int
	remember      int      // targets of /probe to keep the counters of
	externalURL   *url.URL // nil unless given
	routePrefix   string
	demo          bool
	lifecycle     bool // answer /-/reload
	pprof         bool
	web           *toolkit.FlagConfig
	logger        *slog.Logger
	probeLogger   *slog.Logger // one line a probe
	logs          *logs.Queue  // what both write to; nil for messages
	messages      io.Writer    // standard error
	hosts         []string     // that requests may name; empty for any
}

func parseFlags(args []string) options {
	o := options{messages: escape.NewTerminal(os.Stderr, redraw)}
	app := kingpin.New("errno_exporter", "Probes HTTP APIs for Prometheus and reports in which phase a call failed, why, and with which errno.")
	app.Version(version.Print("errno_exporter"))
	app.HelpFlag.Short('h')
	app.UsageWriter(os.Stdout)
	app.ErrorWriter(o.messages)
	app.Flag("config.file", "Path of the configuration file.").Default("exporter.yml").IsSetByUser(&o.configGiven).StringVar(&o.configFile)
	check := app.Flag("config.check", "Check the configuration, print errors with their position, and exit with 0 or 1.").Bool()
	autoReload := app.Flag("config.enable-auto-reload", "Reload the configuration when its file, or a file that it names, changes.").Bool()
	interval := app.Flag("config.auto-reload-interval", "Interval between checks for changed files.").Default("30s").String()
	offset := app.Flag("timeout-offset",
		"Seconds to subtract from Prometheus's scrape timeout, 0 to 3600. A scrape timeout counts as at most two minutes; one that is not longer than this is halved.").
		Default("0.5").Float64()
	app.Flag("reset-capture", "Attribute resets to the server or a middlebox (requires CAP_NET_RAW).").Default("true").BoolVar(&o.capture)
	app.Flag("shutdown-timeout", "Time for scrapes in progress to finish after SIGTERM or SIGINT, at most 1h.").
		Default("10s").DurationVar(&o.shutdown)
	app.Flag("web.enable-lifecycle", "Reload the configuration on POST to /-/reload; SIGHUP always works.").
		Default("true").BoolVar(&o.lifecycle)
	externalURL := app.Flag("web.external-url",
		"URL under which the exporter is externally reachable, such as https://probe.example.com/errno.").String()
	routePrefix := app.Flag("web.route-prefix", "Prefix of the paths of all endpoints. Defaults to the path of --web.external-url.").String()
	hosts := app.Flag("web.allowed-hosts",
		"Host names and addresses that requests may use, comma-separated, repeatable; others get 421, except on /-/healthy and /-/ready. Defaults to any.").
		PlaceHolder("HOSTS").Strings()
	app.Flag("web.enable-pprof", "Serve profiles at /debug/pprof/.").BoolVar(&o.pprof)
	app.Flag("history.limit",
		"Number of probes whose records are kept, and of failed ones in addition, 0 to 100000. Together they take at most 32 MiB.").
		Default("100").IntVar(&o.historyLimit)
	app.Flag("probe.remember",
		"Number of pairs of module and target of /probe to remember, 1 to 1000000; they take about 3.4 kB each, and the least recently used are evicted.").
		Default("10000").IntVar(&o.remember)
	app.Flag("demo", "Start faulty servers on loopback and probe them instead of the configured targets.").BoolVar(&o.demo)
	probeLevel := promslog.NewLevel()
	app.Flag("log.prober", "Minimum level of the log lines of probes: failures are info, successes debug. One of: [debug, info, warn, error]").
		Default("info").SetValue(probeLevel)
	o.web = kingpinflag.AddFlags(app, ":10104")
	var logging promslog.Config
	promslogflag.AddFlags(app, &logging)
	app.Command("serve", "Run the exporter.").Default()
	probeCommand, probe := probeFlags(app)
	checkCommand := app.Command("check-config", "Check the configuration, print errors with their position, and exit with 0 or 1.")

	if len(args) > 0 && (args[0] == probeCommand.FullCommand() || args[0] == checkCommand.FullCommand()) {
		hideServing(app)
	}
	command, err := app.Parse(args)
	if err != nil {
		app.Fatalf("%s, try --help", err)
	}
	if !(*offset >= 0 && *offset <= 3600) {
		app.Fatalf(`--timeout-offset "%v" is out of range, want seconds from 0 to 3600`, *offset)
	}
	o.timeoutOffset = time.Duration(*offset * float64(time.Second))
	if o.shutdown < 0 || o.shutdown > maxShutdown {
		app.Fatalf("--shutdown-timeout %s is out of range, want 0s to %s", o.shutdown, maxShutdown)
	}
	if o.historyLimit < 0 || o.historyLimit > maxHistory {
		app.Fatalf("--history.limit %d is out of range, want 0 to %d", o.historyLimit, maxHistory)
	}
	if o.remember < 1 || o.remember > maxRemember {
		app.Fatalf("--probe.remember %d is out of range, want 1 to %d", o.remember, maxRemember)
	}
	if o.externalURL, o.routePrefix, err = routes(*externalURL, *routePrefix); err != nil {
		app.Fatalf("%s", err)
	}
	if *autoReload {
		if o.autoReload, err = reloadInterval(*interval); err != nil {
			app.Fatalf("%s", err)
		}
	}
	if len(*hosts) > 0 {
		o.hosts = strings.Split(strings.Join(*hosts, ","), ",")
	}
	if err := web.CheckHosts(o.hosts); err != nil {
		app.Fatalf("%s", err)
	}
	o.check = *check || command == checkCommand.FullCommand()
	if command == probeCommand.FullCommand() {
		o.probe = probe
	}
	logging.Writer = o.messages
	if o.probe == nil && !o.check {
		o.logs = logs.NewQueue(os.Stderr)
		logging.Writer = o.logs
	}
	o.logger = slog.New(logs.Bounded(promslog.New(&logging).Handler()))
	ofProbes := promslog.Config{Level: probeLevel, Format: logging.Format, Style: logging.Style, Writer: logging.Writer}
	o.probeLogger = slog.New(logs.Bounded(promslog.New(&ofProbes).Handler()))
	return o
}

// hideServing leaves the flags that only serve knows out of the help of the other commands.
func hideServing(app *kingpin.Application) {
	for _, f := range app.Model().Flags {
		if f.Name != "config.file" && f.Name != "reset-capture" && f.Name != "help" && f.Name != "version" {
			app.GetFlag(f.Name).Hidden()
		}
	}
}

// routes reads the URL from outside, nil if there is none, and the path under which the endpoints are: "/", or one without a slash at
// its end.
func routes(externalURL, prefix string) (*url.URL, string, error) {
	var external *url.URL
	if externalURL != "" {
		u, err := url.Parse(externalURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
			return nil, "", fmt.Errorf("--web.external-url %q is not the exporter's URL, want one such as https://probe.example.com/errno", externalURL)
		}
		external, prefix = u, cmp.Or(prefix, u.Path)
	}
	prefix = "/" + strings.Trim(prefix, "/")
	if prefix != path.Clean(prefix) || strings.ContainsAny(prefix, "{}?# \t") {
		return nil, "", fmt.Errorf("--web.route-prefix %q is not a path, want one such as /errno", prefix)
	}
	return external, prefix, nil
}

// reloadInterval reads a duration, or seconds as blackbox_exporter writes them.
func reloadInterval(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if seconds, number := strconv.Atoi(text); number == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d < minReloadInterval || d > 24*time.Hour {
		return 0, fmt.Errorf(`--config.auto-reload-interval %q is not an interval, want one from %s to 24h such as "30s"`, text, minReloadInterval)
	}
	return d, nil
}

// checkConfig prints what is wrong with the configuration and returns the exit status.
func checkConfig(o options) int {
	if _, err := config.Load(o.configFile); err != nil {
		fmt.Fprintln(o.messages, err)
		return 1
	}
	fmt.Fprintf(escape.NewWriter(os.Stdout), "%s is good\n", o.configFile)
	return 0
}

// serve runs the exporter until it is told to end.
func serve(o options) error {
	registry := prometheus.NewRegistry()
	panics := metrics.NewPanics(registry)
	panicked := func(p *guard.Panic) {
		panics.Inc()
		o.panicked(p)
	}
	loaded, err := loadConfig(&o, panicked)
	if err != nil {
		return err
	}
	limitMemory(len(loaded.Targets))
	current := config.NewCurrent(loaded)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("errno_exporter"))
	reload := metrics.NewReload(registry)
	reload.Record(nil, time.Now())

	metrics.NewLog(registry, o.logs.Dropped)
	capture := openCapture(&o, slog.LevelInfo, panicked)
	metrics.NewResetCapture(registry, capture != nil)
	if capture != nil {
		defer capture.Close()
	}
	records := history.New(o.historyLimit)
	watching := watch.New(watch.Options{
		Prober:   prober.New(prober.Options{UserAgent: userAgent(), Resets: capture, Panicked: panicked}),
		Remember: o.remember, Registry: registry, Descriptors: descriptors(), Panicked: panicked,
		Ended: func(r *result.Result, m *config.Module) uint64 {
			web.LogProbe(o.probeLogger, r)
			return records.Add(r, m)
		},
		Judged: func(id uint64, v *cause.Verdict, controls []result.Control) {
			records.Judge(id, cause.Findings{Verdict: v, Controls: controls})
		},
	})
	watching.Apply(loaded)
	life := &web.Lifecycle{Enabled: o.lifecycle, Reload: func() error { return reloadConfig(&o, current, watching, reload) }}
	inbound := newInbound(registry)
	endpoints := &web.Endpoints{
		Probe: &web.ProbeHandler{
			Watch: watching, Config: current, TimeoutOffset: o.timeoutOffset, Requests: web.NewRequests(watch.Connections(descriptors())),
		}, Life: life, History: records, Registry: registry,
		ExternalURL: o.externalURL, RoutePrefix: o.routePrefix, Pprof: o.pprof, Panicked: panicked, Hosts: o.hosts,
	}
	server := &http.Server{
		Handler:           endpoints.Handler(),
		ConnState:         inbound.State,
		ConnContext:       web.ConnContext,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(o.logger.Handler(), slog.LevelWarn),
	}
	o.logger.Info("Starting errno_exporter", version.Slog()...)
	if o.demo {
		o.logger.Info("The demo probes its own faulty servers: open /metrics, /history and /probe?target=flapping&debug=true at the address below")
	}
	logLibraries(o.logger)
	defer watching.Close()
	return listen(server, o, life, func() bool { return !noFile(&o) && current.Changed(o.configFile) })
}

// logLibraries has what libraries log by themselves logged at debug: net/http has no other way to say that a server misbehaved, nor has quic-go to say
// that the kernel's buffers are small. What matters of it is in the Result.
func logLibraries(logger *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(logger.Handler(), slog.LevelDebug).Writer())
}

// newInbound bounds the clients' connections by the limit of file descriptors.
func newInbound(registry *prometheus.Registry) *web.Connections {
	var inbound *web.Connections
	closed := metrics.NewInbound(registry, func() int { return inbound.Open() })
	inbound = web.NewConnections(watch.Connections(descriptors()), closed)
	return inbound
}

// openCapture opens the capture of resets; nil where it is not wanted, or not to be had, which is logged at a level: a command in a terminal says
// nothing that it was not asked for.
func openCapture(o *options, level slog.Level, panicked guard.Report) *reset.Capture {
	if !o.capture {
		return nil
	}
	capture, err := reset.Open(panicked)
	if err != nil {
		o.logger.Log(context.Background(), level, "Resets are not attributed, origin peer may be a middlebox: no packet capture", "err", err)
		return nil
	}
	return capture
}

// panicked logs a panic that ended a goroutine that nobody waits for.
func (o *options) panicked(p *guard.Panic) {
	o.logger.Error("Recovered a panic of a goroutine, please report this bug", "panic", p.Value, "stack", string(p.Stack))
}

func userAgent() string { return "errno_exporter/" + cmp.Or(version.Version, "unversioned") }

// loadConfig loads the file. Without one, and without the user asking for one, there is a built-in configuration. The demo has its own.
func loadConfig(o *options, panicked guard.Report) (*config.Config, error) {
	if o.demo {
		return demo.Start(panicked)
	}
	if !noFile(o) {
		return config.Load(o.configFile)
	}
	o.logger.Info("No configuration file, using the built-in module http_2xx", "file", o.configFile)
	return config.Default(), nil
}

// noFile reports whether there is no configuration file and the user did not ask for one.
func noFile(o *options) bool {
	_, err := os.Stat(o.configFile)
	return !o.configGiven && errors.Is(err, fs.ErrNotExist)
}

// reloadConfig loads the file again. When it cannot, the running configuration stays, and the error says why.
func reloadConfig(o *options, current *config.Current, watching *watch.Watch, reload *metrics.Reload) error {
	if o.demo {
		o.logger.Info("Ignoring the reload: the demo's configuration is built in")
		return nil
	}
	if current.Get().File == "" && noFile(o) {
		o.logger.Info("No configuration file to reload", "file", o.configFile)
		return nil
	}
	err := current.Reload(o.configFile)
	reload.Record(err, time.Now())
	if err != nil {
		o.logger.Error("Reloading the configuration failed, the running one stays in force", "err", err)
		return err
	}
	watching.Apply(current.Get())
	limitMemory(len(current.Get().Targets))
	o.logger.Info("Reloaded the configuration", "file", o.configFile)
	return nil
}
