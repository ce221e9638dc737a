package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Reload reports whether the running configuration is the one in the file.
type Reload struct {
	successful prometheus.Gauge
	at         prometheus.Gauge
}

// NewReload registers the gauges errno_exporter_config_last_reload_successful and
// errno_exporter_config_last_reload_success_timestamp_seconds.
func NewReload(registry prometheus.Registerer) *Reload {
	r := &Reload{
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "errno_exporter_config_last_reload_successful",
			Help: "1 if the last load of the configuration succeeded, 0 if not.",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "errno_exporter_config_last_reload_success_timestamp_seconds",
			Help: "Unix time of the last successful load of the configuration.",
		}),
	}
	registry.MustRegister(r.successful, r.at)
	return r
}

// Record notes how a load ended, and when.
func (r *Reload) Record(err error, at time.Time) {
	r.successful.Set(number(err == nil))
	if err == nil {
		r.at.Set(float64(at.UnixNano()) / float64(time.Second))
	}
}
