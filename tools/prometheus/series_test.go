//go:build unix

package prometheus

import (
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// phases are those of a probe over HTTPS.
var phases = []string{"resolve", "connect", "tls", "request", "processing", "transfer"}

// exporter is what the rules read of the exporter itself.
func exporter() []kept {
	var all []kept
	for _, name := range []string{"up", "errno_exporter_build_info", "errno_exporter_targets", "errno_exporter_egress_up",
		"errno_exporter_config_last_reload_successful"} {
		all = append(all, kept{named(labels.FromStrings("job", "apis", "instance", "exporter:10104", "vantage", "eu"),
			name), hour, scrape, 1, 0, 0})
	}
	return all
}

// working is what the rules read of a target over HTTPS that works: what its scrapes have, in the last hour, or day
// where a rule looks that far, and what the rules recorded in three days.
func working(target labels.Labels) []kept {
	all := append(shared(target), recorded(target, 1)...)
	return append(all, kept{named(target, "probe_success"), hour, scrape, 1, 0, 0},
		kept{named(target, "probe_connection_resets_total", "phase", "processing"), hour, scrape, 1, 0, 0},
		kept{named(target, "probe_attempts_failed_total", "phase", "processing", "reason", "tcp.reset",
			"errno", "ECONNRESET", "origin", "peer"), hour, scrape, 1, 0, 0})
}

// failing is the same of a target whose connections have been reset for an hour.
func failing(target labels.Labels) []kept {
	reason := []string{"phase", "processing", "reason", "tcp.reset", "errno", "ECONNRESET", "origin", "peer"}
	all := append(shared(target), recorded(target, 0)...)
	return append(all, kept{named(target, "probe_success"), hour, scrape, 0, 0, 0},
		kept{named(target, "probe_failure_info", reason...), hour, scrape, 1, 0, 0},
		kept{named(target, "probe_cause_info", "cause", "worker_crash", "party", "server", "confidence", "high"),
			hour, scrape, 1, 0, 0},
		kept{named(target, "probe_connection_resets_total", "phase", "processing"), hour, scrape, 1, 1, 0},
		kept{named(target, "probe_attempts_failed_total", reason...), hour, scrape, 1, 1, 0})
}

// shared is what a target has in either case. Its certificate expires in 60 days.
func shared(target labels.Labels) []kept {
	expiry := float64(start.Add(60 * day).Unix())
	all := []kept{
		{named(target, "probe_reliable"), hour, scrape, 1, 0, 0},
		{named(target, "probe_target_info", "team", "payments"), hour, scrape, 1, 0, 0},
		{named(target, "probe_ip_network_hash"), day, scrape, 12345, 0, 0},
		{named(target, "probe_ssl_earliest_cert_expiry"), hour, scrape, expiry, 0, 0},
		{named(target, "probe_ssl_earliest_cert_lifetime_seconds"), hour, scrape, (90 * day).Seconds(), 0, 0},
	}
	for _, phase := range phases {
		all = append(all,
			kept{named(target, "probe_http_duration_seconds", "phase", phase), hour, scrape, 0.02, 0, 0.005},
			kept{named(target, "phase:probe_http_duration_seconds:median5m", "phase", phase), day + hour,
				5 * time.Minute, 0.02, 0, 0.005},
			kept{named(target, "phase:probe_http_duration_seconds:median1h", "phase", phase), 3 * day, hour, 0.02, 0,
				0.005})
	}
	return all
}

// recorded is what the rules recorded before of a target's success, which lasted until an hour ago.
func recorded(target labels.Labels, success float64) []kept {
	api := labels.NewBuilder(target).Set("api", target.Get("target")).Labels()
	return []kept{
		{named(api, "target:probe_success:last"), hour, every, success, 0, 0},
		{named(api, "target:probe_success:counted"), hour, every, success, 0, 0},
		{named(api, "target:probe_success:sum_over_time5m"), 3 * day, 5 * time.Minute, 20 * (0.9 + success/10), 0, 0},
		{named(api, "target:probe_success:count_over_time5m"), 3 * day, 5 * time.Minute, 20, 0, 0},
	}
}

// named is a series' labels.
func named(target labels.Labels, name string, pairs ...string) labels.Labels {
	builder := labels.NewBuilder(target).Set("__name__", name)
	for i := 0; i < len(pairs); i += 2 {
		builder.Set(pairs[i], pairs[i+1])
	}
	return builder.Labels()
}
