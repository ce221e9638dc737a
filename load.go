package main

import (
	"context"
	"errors"
	"io/fs"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/demo"
	"errno_exporter/internal/host/counters"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/observe"
	"errno_exporter/internal/reset"
	"errno_exporter/internal/serve"
	"errno_exporter/internal/watch"
	"errno_exporter/internal/web"
	"errno_exporter/prober/socket"
)

// loadConfig loads the configuration: the demo's own, the file, or the built-in one if there is no file and the user
// named none.
func loadConfig(o *options, panicked guard.Report) (*config.Config, error) {
	if o.demo && o.command == commandServe {
		o.logger.Info("The demo probes its own faulty servers: open /metrics, /history and " +
			"/probe?target=flapping&debug=true at the address below")
		return demo.Start(panicked)
	}
	if !o.noFile() {
		return config.Load(o.configFile)
	}
	if o.command == commandServe {
		o.logger.Info("No configuration file, using the built-in module http_2xx", "file", o.configFile)
	}
	return config.Default(), nil
}

// shardOf returns this exporter's shard of a configuration.
func (o *options) shardOf(c *config.Config) *config.Config {
	c = c.InShard(o.shard)
	if o.shard.Divides() {
		o.logger.Info("Probing one shard of the configured targets", "shard", o.shard, "targets", len(c.Targets),
			"other_targets", len(c.OtherTargets))
	}
	return c
}

// logWarnings logs what of a configuration is accepted and probably not meant.
func (o *options) logWarnings(c *config.Config) {
	for _, warning := range c.Warnings {
		o.logger.Warn("Loading the configuration", "warning", warning)
	}
}

// noFile reports whether there is no configuration file and the user named none.
func (o *options) noFile() bool {
	_, err := os.Stat(o.configFile)
	return !o.configGiven && errors.Is(err, fs.ErrNotExist)
}

// reload loads the configuration again and applies it.
type reload struct {
	*options
	current  *config.Current
	watching *watch.Watch
	outcome  *metrics.Reload
}

func newReload(o *options, current *config.Current, watching *watch.Watch, registry *prometheus.Registry) *reload {
	outcome := metrics.NewReload(registry)
	outcome.Record(nil, time.Now())
	outcome.Unused(len(current.Get().Skipped), current.Get().TargetFilesFailed)
	return &reload{o, current, watching, outcome}
}

// arrivalInterval is the time between checks for files that modules wait for, without --config.enable-auto-reload.
const arrivalInterval = 30 * time.Second

// changed reports whether the configuration is to be loaded again: because one of its files has changed, or one that a
// module waits for is there. Files of targets are always looked at, as Prometheus does.
func (r *reload) changed() bool {
	if r.current.TargetsChanged() {
		return true
	}
	if r.autoReload == 0 {
		return r.current.Arrived()
	}
	return !r.noFile() && r.current.Changed(r.configFile)
}

// run reloads. If that fails, the running configuration stays, and the error says why.
func (r *reload) run() error {
	if r.demo {
		r.logger.Info("Ignoring the reload: the demo's configuration is built in")
		return nil
	}
	if r.current.Get().File == "" && r.noFile() {
		r.logger.Info("No configuration file to reload", "file", r.configFile)
		return nil
	}
	err := r.current.Reload(r.configFile)
	r.outcome.Record(err, time.Now())
	if err != nil {
		r.logger.Error("Reloading the configuration failed, the running one stays in force", "err", err)
		return err
	}
	loaded := r.current.Get()
	r.outcome.Unused(len(loaded.Skipped), loaded.TargetFilesFailed)
	r.logWarnings(loaded)
	r.watching.Apply(loaded)
	serve.LimitMemory(loaded)
	r.logger.Info("Reloaded the configuration", "file", r.configFile)
	return nil
}

// openCapture opens the capture of resets; nil if it is disabled, or not permitted, which is logged at the level.
func openCapture(o *options, level slog.Level, panicked guard.Report) *reset.Capture {
	if !o.capture {
		return nil
	}
	capture, err := reset.Open(panicked)
	if err != nil {
		o.logger.Log(context.Background(), level, "Resets are not attributed, origin peer may be a middlebox: no "+
			"packet capture; modules with diagnose measure after a failure who resets", "err", err)
		return nil
	}
	o.logger.Debug("Resets are captured", "way", capture.Way)
	return capture
}

// openCounters opens the kernel's counters; nil where there are none. What cannot be read is logged at the level.
func openCounters(o *options, level slog.Level, panicked guard.Report) *counters.Sampler {
	sampler, err := counters.NewSampler(counters.Folder, panicked)
	if err != nil {
		o.logger.Log(context.Background(), level, "Some of the kernel's counters cannot be read, records of failures "+
			"are without them", "err", err)
	}
	return sampler
}

// observer returns what opens the observer of the application's connections; nil where the kernel refuses, which is
// logged. The capture, which may be nil, knows who sent resets, and own which sockets are the prober's.
func (o *options) observer(capture *reset.Capture, own *socket.Own) func(observe.Options) *observe.Observer {
	return func(wanted observe.Options) *observe.Observer {
		own.SwitchOn()
		wanted.Capture, wanted.Own = capture, own.Has
		observer, err := observe.Open(wanted)
		if err != nil {
			o.logger.Warn("The application's connections are not observed", "err", err)
			return nil
		}
		o.logger.Info("Observing the application's connections", "interval", wanted.Interval)
		return observer
	}
}

// panicked logs a panic that ended a goroutine that nobody waits for.
func (o *options) panicked(p *guard.Panic) {
	o.logger.Error("Recovered a panic of a goroutine, please report this bug", "panic", p.Value, "stack",
		string(p.Stack))
}

// newInbound limits the clients' connections.
func newInbound(registry *prometheus.Registry, limit int) *web.Connections {
	var inbound *web.Connections
	closed := metrics.NewInbound(registry, func() int { return inbound.Open() })
	inbound = web.NewConnections(limit, closed)
	return inbound
}

// logLibraries logs at debug what libraries log by themselves: net/http reports some misbehaviour of servers in no
// other way, and so does quic-go the kernel's small buffers. What matters of it is in the Result.
func logLibraries(logger *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(logger.Handler(), slog.LevelDebug).Writer())
}
