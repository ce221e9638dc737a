package metrics

import (
	"time"

	"github.com/prometheus/common/model"

	"errno_exporter/internal/lifetime"
	"errno_exporter/internal/target/state"
)

// AgeLabel is how an age is written: as in the configuration, 5m and not 5m0s.
func AgeLabel(age time.Duration) string { return model.Duration(age).String() }

// Keepalive adds what became of idle connections.
func (e *Exposition) Keepalive(k state.Idle) {
	for _, a := range k.Ages {
		e.gauge("probe_keepalive_success", "1 if the connection that was idle for that long still served a request, "+
			"0 if not.", number(a.Last.Failure == nil),
			label{"idle", AgeLabel(a.Age)})
	}
	for _, a := range k.Ages {
		e.gauge("probe_keepalive_idle_seconds", "Time that the connection had been idle when it was used again, or "+
			"when it was closed, in seconds.",
			a.Last.Idle.Seconds(), label{"idle", AgeLabel(a.Age)})
	}
	e.lifetime(k.Lifetime)
	if k.Asked && k.Announced != 0 {
		e.gauge("probe_keepalive_announced_seconds",
			"Idle timeout that the server announces, in seconds; 0 if it closes the connection after each response.",
			max(0, k.Announced.Seconds()))
	}
}

// lifetime adds what is measured of the lifetime of idle connections.
func (e *Exposition) lifetime(s lifetime.Search) {
	for _, row := range []struct {
		bound string
		age   time.Duration
	}{{"survived", s.Survived}, {"died", s.Died}} {
		if row.age > 0 {
			e.gauge("probe_keepalive_lifetime_seconds", "Measured idle lifetime of connections, in seconds: the longest "+
				"age at which one still served a request (survived), and the shortest at which one did not, twice (died).",
				row.age.Seconds(), label{"bound", row.bound})
		}
	}
	for _, row := range []struct {
		by  string
		end lifetime.End
	}{{"age", s.End}, {"clock", s.Clock}} {
		if row.end != "" {
			e.gauge("probe_keepalive_end_info", "How idle connections end: always at a similar age (age), or once and "+
				"not again at that age (clock), as when a server is reloaded. The value is 1.",
				1, label{"by", row.by}, label{"end", string(row.end)})
		}
	}
}
