package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Reload reports whether the running configuration is the one in the file, and what of it is served. The gauges that
// blackbox_exporter has too exist by its names as well, so that the alerts of its users fire.
type Reload struct {
	successful []prometheus.Gauge
	at         []prometheus.Gauge
	skipped    prometheus.Gauge
	failed     prometheus.Gauge
}

// NewReload registers the gauges errno_exporter_config_* and blackbox_exporter_config_*.
func NewReload(registry prometheus.Registerer) *Reload {
	r := new(Reload)
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		registry.MustRegister(g)
		return g
	}
	for _, program := range []string{"errno_exporter", "blackbox_exporter"} {
		r.successful = append(r.successful, gauge(program+"_config_last_reload_successful",
			"1 if the last load of the configuration succeeded, 0 if not."))
		r.at = append(r.at, gauge(program+"_config_last_reload_success_timestamp_seconds",
			"Unix time of the last successful load of the configuration."))
	}
	r.skipped = gauge("errno_exporter_config_modules_skipped",
		"Number of modules of the running configuration that use a prober that is not served here.")
	r.failed = gauge("errno_exporter_config_target_files_failed",
		"Number of files of target_files that the last load could not use, and whose targets stay as they were.")
	return r
}

// Record notes how a load ended, and when.
func (r *Reload) Record(err error, at time.Time) {
	for i := range r.successful {
		r.successful[i].Set(number(err == nil))
		if err == nil {
			r.at[i].Set(float64(at.UnixNano()) / float64(time.Second))
		}
	}
}

// Unused notes how many modules of the running configuration are not served, and how many files of targets could not be
// used.
func (r *Reload) Unused(modules, targetFiles int) {
	r.skipped.Set(float64(modules))
	r.failed.Set(float64(targetFiles))
}

// NewUnknownModules registers the counter of requests that name a module that there is not, by blackbox_exporter's
// name, and returns what counts one.
func NewUnknownModules(registry prometheus.Registerer) func() {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "blackbox_module_unknown_total",
		Help: "Number of requests to /probe that name an unknown module."})
	registry.MustRegister(c)
	return c.Inc
}
