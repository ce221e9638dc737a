package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
	"golang.org/x/net/http/httpguts"

	"errno_exporter/config"
	"errno_exporter/internal/cli"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/logs"
	"errno_exporter/internal/web"
)

// The commands.
const (
	commandServe   = "serve"
	commandProbe   = "probe"
	commandCheck   = "check-config"
	commandWatch   = "watch"
	commandHealthy = "healthy"
)

// The limits of flags.
const (
	maxTimeoutOffset  = 3600 // seconds
	maxShutdown       = time.Hour
	maxHistory        = 100_000
	maxRemember       = 1_000_000
	minReloadInterval = 100 * time.Millisecond
	maxReloadInterval = 24 * time.Hour
)

// options is the command line.
type options struct {
	command       string
	probe         cli.Options
	check         cli.CheckOptions
	watch         cli.WatchOptions
	incidents     cli.IncidentsOptions
	configFile    string
	configGiven   bool          // by the user: the file must exist
	autoReload    time.Duration // between checks for changes; 0: never
	timeoutOffset time.Duration
	shutdown      time.Duration // for the scrapes in progress
	capture       bool          // attribute resets
	historyLimit  int

	incidentSuccesses int      // that end an incident
	remember          int      // targets of /probe to keep the counters of
	histograms        string   // of targets that have no choice of their own
	externalURL       *url.URL // nil unless given
	routePrefix       string
	demo              bool
	probeInterval     time.Duration // between rounds of probes; 0: only scrapes probe
	intervalGiven     bool          // by the user
	lifecycle         bool          // answer /-/reload
	pprof             bool
	blackboxErrors    bool
	userAgent         string   // empty for the exporter's own
	hosts             []string // that requests may name; empty for any
	shard             config.Shard
	storage           storage
	web               *toolkit.FlagConfig
	logger            *slog.Logger
	probeLogger       *slog.Logger // one line a probe
	logs              *logs.Queue  // what both write to; nil: to messages
	output            *cli.Output  // standard output
	messages          io.Writer    // standard error
}

// rawFlags are the flags whose values are parsed here, and the levels of the log.
type rawFlags struct {
	check          bool
	autoReload     bool
	reloadInterval string
	timeoutOffset  float64
	externalURL    string
	routePrefix    string
	hosts          []string
	shard          string
	storage        rawStorage
	probeLevel     *promslog.Level
	logging        promslog.Config
}

// summary is what the program is, in its help and its man page.
const summary = "Probes HTTP APIs for Prometheus and reports in which phase a call failed, why, and with which errno."

// parseFlags reads the command line. What is wrong with it is one line on standard error, and the exit status 1.
func parseFlags(args []string) *options {
	o := &options{output: cli.NewOutput(os.Stdout), messages: escape.NewTerminal(os.Stderr, cli.Redraw)}
	raw := &rawFlags{probeLevel: promslog.NewLevel()}
	kingpin.EnableFileExpansion = false // of -d @FILE
	app := kingpin.New("errno_exporter", summary)
	kingpin.ManPageTemplate = manPage(kingpin.ManPageTemplate, version.Version, summary)
	app.Version(version.Print("errno_exporter"))
	app.HelpFlag.Short('h')
	app.UsageWriter(o.output.Help())
	app.Terminate(func(status int) { os.Exit(o.output.Status(status, o.messages)) })
	app.ErrorWriter(o.messages)
	configFlags(app, o, raw)
	serveFlags(app, o, raw)
	storageFlags(app, &o.storage, &raw.storage)
	logFlags(app, raw)
	app.Command(commandServe, "Run the exporter.")
	probeFlags(app, &o.probe)
	checkFlags(app, &o.check)
	watchFlags(app, &o.watch)
	healthyFlags(app)
	incidentsFlags(app, &o.incidents)
	args = completionFlags(app, o, args)

	if len(args) > 0 {
		hideServing(app, args[0])
	}
	command, err := parsed(app, args)
	if err != nil {
		app.Fatalf("%s, try --help", err)
	}
	if o.command = command; raw.check {
		o.command = commandCheck
	}
	if err := o.resolve(raw); err != nil {
		app.Fatalf("%s", err)
	}
	o.openLogs(raw)
	return o
}

func configFlags(app *kingpin.Application, o *options, raw *rawFlags) {
	app.Flag("config.file", "Path of the configuration file.").
		Default("exporter.yml").IsSetByUser(&o.configGiven).StringVar(&o.configFile)
	app.Flag("config.check",
		"Check the configuration, print errors with their position, and exit with 0 or 1.").
		BoolVar(&raw.check)
	app.Flag("config.enable-auto-reload",
		"Reload the configuration when its file, or a file that it names, changes.").
		BoolVar(&raw.autoReload)
	app.Flag("config.auto-reload-interval", "Interval between checks for changed files.").
		Default("30s").StringVar(&raw.reloadInterval)
	app.Flag("http.user-agent", "User-Agent of probes, unless the module's headers have one.").
		Default(userAgent()).StringVar(&o.userAgent)
}

func serveFlags(app *kingpin.Application, o *options, raw *rawFlags) {
	app.Flag("timeout-offset",
		"Seconds to subtract from Prometheus's scrape timeout, 0 to 3600. A scrape timeout counts as at most "+
			"two minutes; one that is not longer than this is halved.").
		Default("0.5").Float64Var(&raw.timeoutOffset)
	app.Flag("reset-capture", "Attribute resets to the server or a middlebox (requires CAP_NET_RAW).").
		Default("true").BoolVar(&o.capture)
	app.Flag("shutdown-timeout",
		"Time for scrapes in progress to finish after SIGTERM or SIGINT, at most 1h.").
		Default("10s").DurationVar(&o.shutdown)
	app.Flag("web.enable-lifecycle", "Reload the configuration on POST to /-/reload; SIGHUP always works.").
		Default("true").BoolVar(&o.lifecycle)
	app.Flag("web.external-url",
		"URL under which the exporter is externally reachable, such as https://probe.example.com/errno.").
		StringVar(&raw.externalURL)
	app.Flag("web.route-prefix",
		"Prefix of the paths of all endpoints. Defaults to the path of --web.external-url.").
		StringVar(&raw.routePrefix)
	app.Flag("web.allowed-hosts",
		"Host names and addresses that requests may use, comma-separated, repeatable; others get 421, except "+
			"on /-/healthy and /-/ready. Defaults to any.").
		PlaceHolder("HOSTS").StringsVar(&raw.hosts)
	app.Flag("web.blackbox-compatible-errors", "Answer 200 and probe_success 0 where the target is not a URL or "+
		"probe_policy denies it, as blackbox_exporter does, instead of 400 and 403.").BoolVar(&o.blackboxErrors)
	app.Flag("web.enable-pprof", "Serve profiles at /debug/pprof/.").BoolVar(&o.pprof)
	app.Flag("history.limit",
		"Number of probes whose records are kept, and of failed ones in addition, 0 to 100000. Together they "+
			"take at most 32 MiB.").
		Default("100").IntVar(&o.historyLimit)
	successesFlag(app, o)
	app.Flag("probe.remember",
		"Number of pairs of module and target of /probe to remember, 1 to 1000000; they take about 3.4 kB "+
			"each, and the least recently used are evicted.").
		Default("10000").IntVar(&o.remember)
	app.Flag("metrics.histograms", "Histograms of the durations of phases: native (of all phases, for Prometheus servers "+
		"that ask for them), classic (of all phases), none, or auto: native, and classic of connect and processing. A "+
		"target's key histograms takes precedence. One of: ["+strings.Join(config.HistogramKinds(), ", ")+"]").
		Default(string(config.AutoHistograms)).EnumVar(&o.histograms, config.HistogramKinds()...)
	app.Flag("probe.interval",
		"Probe all configured targets at this interval, 1s to 24h, also without Prometheus. Scrapes then get the last "+
			"result. 0s: only scrapes probe.").
		Default("0s").IsSetByUser(&o.intervalGiven).DurationVar(&o.probeInterval)
	app.Flag("shard", "Probe only the configured targets of shard I of N, numbered from 0; each target belongs to one "+
		"by its name. All shards have the same configuration.").Default("0/1").PlaceHolder("I/N").StringVar(&raw.shard)
	app.Flag("demo", "Start faulty servers on loopback and probe them instead of the configured "+
		"targets, every 15 s unless --probe.interval says otherwise.").
		BoolVar(&o.demo)
	o.web = kingpinflag.AddFlags(app, ":10104")
}

func logFlags(app *kingpin.Application, raw *rawFlags) {
	app.Flag("log.prober",
		"Minimum level of the log lines of probes: failures are info, successes debug. One of: [debug, info, "+
			"warn, error]").
		Default("info").SetValue(raw.probeLevel)
	promslogflag.AddFlags(app, &raw.logging)
}

func checkFlags(app *kingpin.Application, o *cli.CheckOptions) {
	c := app.Command(commandCheck, "Check the configuration, print errors and warnings with their position, what is "+
		"served, what is skipped, and what is different from blackbox_exporter. Exits with 0 or 1.")
	c.Arg("file", "Path of the configuration file. Defaults to the one of --config.file.").StringVar(&o.File)
	c.Flag("strict", "Exit with 1 for warnings too.").BoolVar(&o.Strict)
}

// hideServing hides the flags that only serve uses from the help of another command.
func hideServing(app *kingpin.Application, command string) {
	shown := []string{"config.file", "http.user-agent", "reset-capture", "help", "version"}
	switch command {
	case commandProbe, commandCheck, commandWatch:
	case commandIncidents:
		shown = incidentsShows
	case commandHealthy:
		shown = healthyShows
	default:
		return
	}
	for _, f := range app.Model().Flags {
		if !slices.Contains(shown, f.Name) {
			app.GetFlag(f.Name).Hidden()
		}
	}
}

// resolve validates the flags. An error names the flag, its value and what is accepted.
func (o *options) resolve(raw *rawFlags) (err error) {
	if !(raw.timeoutOffset >= 0 && raw.timeoutOffset <= maxTimeoutOffset) { // NaN is neither
		return fmt.Errorf(`--timeout-offset "%v" is out of range, want seconds from 0 to %d`, raw.timeoutOffset,
			maxTimeoutOffset)
	}
	o.timeoutOffset = time.Duration(raw.timeoutOffset * float64(time.Second))
	if o.shutdown < 0 || o.shutdown > maxShutdown {
		return fmt.Errorf("--shutdown-timeout %s is out of range, want 0s to %s", o.shutdown, maxShutdown)
	}
	if o.historyLimit < 0 || o.historyLimit > maxHistory {
		return fmt.Errorf("--history.limit %d is out of range, want 0 to %d", o.historyLimit, maxHistory)
	}
	if o.remember < 1 || o.remember > maxRemember {
		return fmt.Errorf("--probe.remember %d is out of range, want 1 to %d", o.remember, maxRemember)
	}
	if err := o.resolveInterval(); err != nil {
		return err
	}
	if err := cmp.Or(o.resolveSuccesses(), o.storage.resolve(&raw.storage)); err != nil {
		return err
	}
	if o.externalURL, o.routePrefix, err = routes(raw.externalURL, raw.routePrefix); err != nil {
		return err
	}
	if !httpguts.ValidHeaderFieldValue(o.userAgent) || strings.TrimSpace(o.userAgent) == "" {
		return fmt.Errorf("--http.user-agent %q is not a header's value, want a text such as \"Blackbox Exporter/0.23.0\"",
			o.userAgent)
	}
	if o.shard, err = config.ParseShard(raw.shard); err != nil {
		return fmt.Errorf("--shard %w", err)
	}
	if raw.autoReload {
		if o.autoReload, err = reloadInterval(raw.reloadInterval); err != nil {
			return err
		}
	}
	if len(raw.hosts) > 0 {
		o.hosts = strings.Split(strings.Join(raw.hosts, ","), ",")
	}
	return web.CheckHosts(o.hosts)
}

// openLogs makes the loggers. A server's lines go through a queue: a reader of standard error that stalls must not
// stall probes.
func (o *options) openLogs(raw *rawFlags) {
	raw.logging.Writer = o.messages
	if o.command == commandServe {
		o.logs = logs.NewQueue(os.Stderr)
		raw.logging.Writer = o.logs
	}
	o.logger = slog.New(logs.Bounded(promslog.New(&raw.logging).Handler()))
	ofProbes := raw.logging
	ofProbes.Level = raw.probeLevel
	o.probeLogger = slog.New(logs.Bounded(promslog.New(&ofProbes).Handler()))
}
