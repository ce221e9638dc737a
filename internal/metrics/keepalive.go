package metrics

import (
	"time"

	"github.com/prometheus/common/model"

	"errno_exporter/prober/result"
)

// Kept is what there is to say of the connections that are kept to a target.
type Kept struct {
	Ages []KeptAge
	// by the server's Keep-Alive: timeout=; 0 if it said nothing, -1 if it closes after each response
	Announced time.Duration
	Asked     bool // the server has been asked
}

// KeptAge is what last became of the connection that is kept for an age.
type KeptAge struct {
	Age  time.Duration // as configured
	Last *result.KeptResult
}

// AgeLabel is how an age is written: as in the configuration, 5m and not 5m0s.
func AgeLabel(age time.Duration) string { return model.Duration(age).String() }

// Keepalive adds what became of idle connections.
func (e *Exposition) Keepalive(k Kept) {
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
	if k.Asked && k.Announced != 0 {
		e.gauge("probe_keepalive_announced_seconds",
			"Idle timeout that the server announces, in seconds; 0 if it closes the connection after each response.",
			max(0, k.Announced.Seconds()))
	}
}

// keptTuple is the labels of an idle connection's failure.
type keptTuple struct {
	idle string
	tuple
}

// ObserveKept counts what became of an idle connection.
func (t *Totals) ObserveKept(age time.Duration, r *result.KeptResult) {
	f := r.Failure
	if f == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil {
		t.kept = map[keptTuple]uint64{}
	}
	t.kept[keptTuple{AgeLabel(age), tuple{result.ErrnoName(f.Errno), string(f.Origin), string(f.Phase),
		string(f.Reason)}}]++
}
