// Package watch is the pipeline of probes: each is scheduled, made, counted for its target, given its verdict and
// published, and its outcome given to whoever waits for it.
//
// Read watch.go first, then probe.go: one probe from its slot to its publication; scrape.go is all probes of a scrape,
// verdict.go the causes of failures. What is known of a target is in the package target; slots, pacing and sharing are
// in the package schedule.
package watch

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/egress"
	"errno_exporter/internal/host"
	"errno_exporter/internal/host/counters"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/observe"
	"errno_exporter/internal/schedule"
	"errno_exporter/internal/target"
	"errno_exporter/prober"
	"errno_exporter/prober/socket"
)

// Options are what a Watch is made of.
type Options struct {
	Prober      *prober.Prober
	Remember    int                   // targets of /probe to keep the totals of
	Descriptors int                   // that the process may have; 0 for no bound
	Sinks       []Sink                // that take every probe's outcome, in this order
	Panicked    guard.Report          // is called with panics that end no probe; may be nil
	Registry    prometheus.Registerer // of the exporter's own metrics
	Counters    *counters.Sampler     // of the kernel; may be nil
	// Observe opens the observer of the application's connections; nil where the kernel refuses, which it has logged.
	// It may be nil itself: then nothing is observed.
	Observe func(observe.Options) *observe.Observer
	Saved   Saved            // keeps the targets' counters across restarts; may be nil
	Own     *socket.Own      // notes the sockets of reference targets, as the prober does its own; may be nil
	IDs     func() ulid.ULID // makes the IDs of records; nil for ULIDs that sort by time
}

// Watch probes, for scrapes of /metrics and for /probe. It may be used by many goroutines.
type Watch struct {
	prober      *prober.Prober
	sinks       []Sink
	ids         func() ulid.ULID // of records
	slots       *schedule.Slots  // probes
	descriptors *schedule.Slots
	limit       int // of descriptors that the process may have
	lag         *schedule.Lag
	others      *target.Remembered
	sampler     *host.Sampler
	counters    *counters.Sampler
	lasts       *target.Lasts
	references  egress.References
	shared      egress.Shared
	reach       reach
	life        context.Context // of experiments: until Close
	end         context.CancelFunc
	background  schedule.Background
	panicked    guard.Report
	diagnosing  chan struct{} // has room for the rounds of experiments under way
	own         *metrics.Own
	idle        atomic.Int64 // idle connections of all targets
	application application
	saved       saved

	mu      sync.Mutex    // guards what follows
	rounds  time.Duration // between rounds; 0 for none
	targets []*target.Target
}

// New returns a Watch without targets: Apply gives it some.
func New(o Options) *Watch {
	w := &Watch{prober: o.Prober, slots: schedule.NewSlots(1), descriptors: schedule.NewSlots(1), limit: o.Descriptors,
		others: target.NewRemembered(o.Remember)}
	w.sampler, w.lasts = new(host.Sampler), target.NewLasts()
	w.counters = o.Counters
	if w.ids = o.IDs; w.ids == nil {
		w.ids = newIDs().next
	}
	w.panicked, w.background.Running.Report = o.Panicked, o.Panicked
	if w.background.Running.Report == nil {
		w.background.Running.Report = func(*guard.Panic) {} // nobody may panic in Close
	}
	w.life, w.end = context.WithCancel(context.Background())
	w.diagnosing = make(chan struct{}, maxDiagnosing)
	o.Registry.MustRegister(metrics.NewHost(w.sampler), metrics.NewCounters(w.counters.Before),
		metrics.NewEgress(w.references.State),
		metrics.NewSharedFate(func() egress.Fate { return w.shared.Beside(netip.Prefix{}, time.Now()) }))
	w.application.open, w.application.panicked = o.Observe, w.background.Running.Report
	w.application.metrics = metrics.NewApplication(w.application.observed)
	o.Registry.MustRegister(w.application.metrics)
	w.references.Shared, w.references.Control = &w.shared, o.Own.Control
	w.own = metrics.NewOwn(o.Registry, metrics.OwnGauges{
		Targets: func() int { return len(w.current()) }, Remembered: w.others.Len, Slots: w.slots.Size,
		Running: w.slots.Taken,
		Idle:    func() int { return int(w.idle.Load()) },
	})
	w.sinks = append([]Sink{count(w.own), w.observeShared}, o.Sinks...)
	w.lag = schedule.NewLag(w.own.SchedulerDelay, w.background.Running.Report)
	if w.saved.open(o.Saved); o.Saved != nil {
		w.background.Start(w.save)
	}
	return w
}

// Nested returns the context for the probes that a request asks for, or a *prober.LoopError where that is made by a
// probe itself.
func (w *Watch) Nested(ctx context.Context, header http.Header) (context.Context, error) {
	return w.prober.Nested(ctx, header)
}

// Apply takes a configuration's targets and bounds. Targets that stay, those of the same name, URL and module, keep
// their counters, their last result and their in-flight probe. Idle connections are opened again.
func (w *Watch) Apply(c *config.Config) {
	w.saveLeaving(c)
	w.mu.Lock()
	defer w.mu.Unlock()
	stayed := map[target.Key]*target.Target{}
	for _, t := range w.targets {
		stayed[t.Key()] = t
		t.Idle.Close()
	}
	w.targets = nil
	for _, configured := range c.Targets {
		t := &target.Target{Config: configured, Policy: &c.Policy.Networks, Shared: sharedRounds * w.rounds}
		if before := stayed[t.Key()]; before != nil {
			t.Known = before.Known
		} else {
			t.Known = w.saved.known(t.Key())
		}
		t.Idle = target.NewIdlePool(t, &w.idle, w.panicked)
		w.targets = append(w.targets, t)
	}
	w.slots.Resize(c.Policy.MaxConcurrent, len(c.Targets))
	idle, needed := 0, 0 // by all configured targets
	for _, t := range c.Targets {
		idle += len(t.Module.Keepalive)
		if t.Module.KeepaliveMax > 0 {
			idle++
		}
		needed += schedule.DescriptorsOf(t.Module)
	}
	w.descriptors.Resize(schedule.Descriptors(w.limit, min(idle, target.MaxIdle)), needed)
	w.references.Apply(references(c.ReferenceTargets))
	w.lasts.Apply(w.targets)
	w.application.apply(c.Observe, w.targets)
}

// references are the reference targets of a configuration.
func references(configured []*config.ReferenceTarget) []*egress.Address {
	var all []*egress.Address
	for _, t := range configured {
		all = append(all, &egress.Address{Name: t.Name, Kind: t.Kind, Address: t.Address})
	}
	return all
}

// Close closes the idle connections, and ends experiments. No connection is opened from then on.
func (w *Watch) Close() {
	w.end()
	w.application.close()
	w.background.Wait()
	w.saveLast()
	for _, t := range w.current() {
		t.Idle.Close()
	}
}

// current is the targets of now. The slice is never changed.
func (w *Watch) current() []*target.Target {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.targets
}
