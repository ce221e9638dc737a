//go:build unix

// Package prometheus measures with Prometheus' own code what the shipped rules cost:
//
//	go test -C tools/prometheus -run '^$' -bench Rules -benchtime 1x
package prometheus

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	targets = 1000
	scrape  = 30 * time.Second
	// every is the interval of groups without one of their own.
	every = 15 * time.Second
	// warm is for how long the rules are evaluated before that is measured: alerts fire then, and the series that the
	// rules record are there.
	warm     = 6 * time.Minute
	measured = 5 * time.Minute
)

// start is when the rules begin; the history lies before it.
var start = time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)

// kept is a series, and the samples that it has: one an interval, from since before the start on. It rises by step at
// each sample, which is off by at most spread: equal samples take less time to decode and to sort than measured ones.
type kept struct {
	labels              labels.Labels
	since, interval     time.Duration
	value, step, spread float64
}

// BenchmarkRules reports the CPU time of one evaluation of all rules at 1,000 targets that have three days of history:
// of each group, with its queries, its templates and the samples that it records; of all of them when they are due at
// once, which is once an hour; and the average of 15 seconds.
func BenchmarkRules(b *testing.B) {
	debug.SetGCPercent(75) // as Prometheus does
	for _, row := range []struct {
		name   string
		target func(labels.Labels) []kept
	}{{"working", working}, {"failing", failing}} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				due, share := 0.0, 0.0
				costs := evaluate(b, row.target)
				for _, name := range slices.Sorted(maps.Keys(costs)) {
					b.ReportMetric(costs[name].seconds, name+"-cpu-s")
					due += costs[name].seconds
					share += costs[name].seconds / costs[name].interval.Seconds()
				}
				b.ReportMetric(due, "all-cpu-s")
				b.ReportMetric(share*every.Seconds(), "average-cpu-s")
			}
		})
	}
}

// cost is the CPU time of an evaluation of a group, and how often it is evaluated.
type cost struct {
	seconds  float64
	interval time.Duration
}

// evaluate is the cost of each group.
func evaluate(b *testing.B, target func(labels.Labels) []kept) map[string]cost {
	options := tsdb.DefaultOptions()
	options.RetentionDuration = 0
	options.MinBlockDuration = (10 * 24 * time.Hour).Milliseconds()
	options.MaxBlockDuration = options.MinBlockDuration
	db, err := tsdb.Open(b.TempDir(), nil, nil, options, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	all := exporter()
	for i := range targets {
		all = append(all, target(labels.FromStrings("job", "apis", "instance", "exporter:10104", "vantage", "eu",
			"target", fmt.Sprintf("target-%d", i)))...)
	}
	appendHistory(b, db, all)
	groups := load(b, db)
	costs, times := map[string]cost{}, map[string]float64{}
	for at := time.Duration(0); at < warm+measured; at += every {
		appendAt(b, db, all, at)
		for _, g := range groups {
			// At the begin of what is measured all groups are due at once.
			if (at-warm)%g.Interval() != 0 {
				continue
			}
			before := cpu(b)
			g.Eval(b.Context(), start.Add(at))
			if at >= warm {
				costs[g.Name()] = cost{costs[g.Name()].seconds + cpu(b) - before, g.Interval()}
				times[g.Name()]++
			}
			for _, r := range g.Rules() {
				if err := r.LastError(); err != nil {
					b.Fatalf("%s: %v", r.Name(), err)
				}
			}
		}
	}
	for name, c := range costs {
		costs[name] = cost{c.seconds / times[name], c.interval}
	}
	b.Logf("%d series, alerts: %v", db.Head().NumSeries(), firing(groups))
	return costs
}

// load is the shipped groups, the recording ones first.
func load(b *testing.B, db *tsdb.DB) []*rules.Group {
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: 2 * time.Minute})
	manager := rules.NewManager(&rules.ManagerOptions{
		Context: b.Context(), QueryFunc: rules.EngineQueryFunc(engine, db), Appendable: db, Queryable: db,
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	})
	var all []*rules.Group
	for _, file := range []string{"../../monitoring/recording.yml", "../../monitoring/alerts.yml"} {
		groups, errs := manager.LoadGroups(every, labels.EmptyLabels(), "", nil, false, file)
		if len(errs) > 0 {
			b.Fatal(errs)
		}
		all = append(all, slices.SortedFunc(maps.Values(groups), func(x, y *rules.Group) int {
			return strings.Compare(x.Name(), y.Name())
		})...)
	}
	return all
}

// firing is how many alerts fire, by name.
func firing(groups []*rules.Group) map[string]int {
	found := map[string]int{}
	for _, g := range groups {
		for _, r := range g.AlertingRules() {
			for _, a := range r.ActiveAlerts() {
				if a.State == rules.StateFiring {
					found[r.Name()]++
				}
			}
		}
	}
	return found
}

// cpu is the CPU time of this process so far, in seconds.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// appendHistory appends what lies before the start.
func appendHistory(b *testing.B, db *tsdb.DB, all []kept) {
	appender := db.Appender(b.Context())
	for i := range all {
		for at := -all[i].since; at < 0; at += all[i].interval {
			all[i].append(b, appender, at)
		}
		if i%500 == 0 || i == len(all)-1 {
			if err := appender.Commit(); err != nil {
				b.Fatal(err)
			}
			appender = db.Appender(b.Context())
		}
	}
	if err := appender.Commit(); err != nil {
		b.Fatal(err)
	}
}

// appendAt appends what the exporter exposes at a time; what rules record, they record themselves from the start on.
func appendAt(b *testing.B, db *tsdb.DB, all []kept, at time.Duration) {
	if at%scrape != 0 {
		return
	}
	appender := db.Appender(b.Context())
	for i := range all {
		if all[i].interval == scrape {
			all[i].append(b, appender, at)
		}
	}
	if err := appender.Commit(); err != nil {
		b.Fatal(err)
	}
}

func (k *kept) append(b *testing.B, appender storage.Appender, at time.Duration) {
	k.value += k.step
	value := k.value + k.spread*rand.Float64()
	if _, err := appender.Append(0, k.labels, start.Add(at).UnixMilli(), value); err != nil {
		b.Fatalf("%s: %v", k.labels, err)
	}
}
