// Command errno_exporter probes HTTP APIs for Prometheus and reports in which phase a request failed, why, and with
// which errno.
package main

import (
	"cmp"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/cli"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/schedule"
	"errno_exporter/internal/serve"
	"errno_exporter/internal/watch"
	"errno_exporter/internal/web"
	"errno_exporter/prober"
	"errno_exporter/prober/socket"
)

func main() {
	stampVersion()
	o := parseFlags(os.Args[1:])
	status := 0
	switch o.command {
	case commandCheck:
		status = cli.Check(&o.check, o.configFile, o.output, o.messages)
	case commandProbe:
		status = probe(o)
	case commandWatch:
		status = watchConnections(o)
	case commandIncidents:
		o.incidents.Store = o.storage.path
		status = cli.Incidents(&o.incidents, o.output, o.messages)
	case commandHealthy:
		status = healthy(o)
	default:
		status = run(o)
	}
	os.Exit(o.output.Status(status, o.messages))
}

// probe runs the command probe.
func probe(o *options) int {
	loaded, err := loadConfig(o, o.panicked)
	if err != nil {
		return cli.Refuse(o.messages, err)
	}
	logLibraries(o.logger)
	capture := openCapture(o, slog.LevelDebug, o.panicked)
	if capture != nil {
		defer capture.Close()
	}
	return cli.Probe(&cli.Terminal{
		Config: loaded, ConfigFile: o.configFile, Out: o.output, Messages: o.messages,
		Prober: prober.New(prober.Options{UserAgent: o.userAgent, Resets: capture,
			Distances: prober.NewDistances(), Panicked: o.panicked}),
		Counters: openCounters(o, slog.LevelDebug, o.panicked),
	}, &o.probe)
}

// watchConnections runs the command watch.
func watchConnections(o *options) int {
	loaded, err := loadConfig(o, o.panicked)
	if err != nil {
		return cli.Refuse(o.messages, err)
	}
	o.watch.Panicked = o.panicked
	if o.watch.Resets = openCapture(o, slog.LevelDebug, o.panicked); o.watch.Resets != nil {
		defer o.watch.Resets.Close()
	}
	return cli.Watch(&cli.Terminal{Config: loaded, Out: o.output, Messages: o.messages}, &o.watch)
}

// run runs the exporter until a signal ends it.
func run(o *options) int {
	defer o.logs.Close(serve.LogTimeout)
	if err := exporter(o); err != nil {
		o.logger.Error("Exiting", "err", err)
		return 1
	}
	return 0
}

// exporter builds the exporter and serves.
func exporter(o *options) error {
	logLibraries(o.logger)
	registry := newRegistry()
	panics := metrics.NewPanics(registry)
	panicked := func(p *guard.Panic) {
		panics.Inc()
		o.panicked(p)
	}
	loaded, err := loadConfig(o, panicked)
	if err != nil {
		return err
	}
	o.logWarnings(loaded)
	loaded = o.shardOf(loaded)
	serve.LimitMemory(loaded)
	current := config.NewCurrent(loaded)
	metrics.NewShard(registry, o.shard.Index, o.shard.Count, func() int { return len(current.Get().OtherTargets) })
	metrics.NewLog(registry, o.logs.Dropped)
	metrics.NewWebInfo(registry, o.externalURL)
	capture := openCapture(o, slog.LevelInfo, panicked)
	metrics.NewResetCapture(registry, capture != nil)
	if capture != nil {
		defer capture.Close()
	}
	stored := o.openStorage(registry, panicked)
	defer stored.Close()
	remembered := newMemory(o, stored)
	connections := schedule.Connections(serve.Descriptors())
	own := new(socket.Own)
	watching := watch.New(watch.Options{
		Prober: prober.New(prober.Options{UserAgent: o.userAgent, Resets: capture,
			Distances: prober.NewDistances(), Panicked: panicked, Own: own}),
		Counters: openCounters(o, slog.LevelInfo, panicked), Observe: o.observer(capture, own), Own: own,
		Remember: o.remember, Registry: registry, Descriptors: serve.Descriptors(), Panicked: panicked,
		Saved: stored, Sinks: remembered.sinks,
	})
	defer watching.Close()
	watching.Apply(loaded)
	if o.probeInterval > 0 {
		watching.Every(o.probeInterval)
	}
	reload := newReload(o, current, watching, registry)
	life := &web.Lifecycle{Enabled: o.lifecycle, Reload: reload.run}
	endpoints := &web.Endpoints{
		Probe: &web.ProbeHandler{
			Watch: watching, Config: current, TimeoutOffset: o.timeoutOffset, Requests: web.NewRequests(connections),
			UnknownModule:  metrics.NewUnknownModules(registry),
			BlackboxErrors: o.blackboxErrors, Histograms: config.Histograms(o.histograms),
		},
		Life: life, History: remembered.records, Incidents: remembered.incidents, Archive: remembered.archive,
		Registry: registry, Panicked: panicked, ExternalURL: o.externalURL, RoutePrefix: o.routePrefix, Pprof: o.pprof,
		Hosts: o.hosts,
	}
	o.logger.Info("Starting errno_exporter", version.Slog()...)
	return serve.Run(newServer(o, endpoints.Handler(), newInbound(registry, connections)), serve.Options{
		Web: o.web, Life: life, Logger: o.logger, Shutdown: o.shutdown, AutoReload: cmp.Or(o.autoReload, arrivalInterval),
		Changed: reload.changed,
	})
}

func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("errno_exporter"))
	return registry
}

func userAgent() string { return "errno_exporter/" + version.Version }

// The bounds of a client's connection.
const (
	readHeaderTimeout = 10 * time.Second
	maxHeaderBytes    = 64 << 10
	idleTimeout       = 2 * time.Minute
)

func newServer(o *options, handler http.Handler, inbound *web.Connections) *http.Server {
	server := &http.Server{
		Handler:           handler,
		ConnContext:       web.ConnContext,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(o.logger.Handler(), slog.LevelWarn),
	}
	inbound.Bound(server)
	return server
}
