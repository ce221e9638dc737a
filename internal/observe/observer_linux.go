package observe

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"errno_exporter/guard"
)

const (
	tick   = 100 * time.Millisecond // between two looks at the counters
	gather = 50 * time.Millisecond  // ends are read together: a goroutine that wakes for each costs more

	// dumpShare is how many times what the last dump took there are between two, up to twice the interval: a third of a
	// percent of a CPU.
	dumpShare = 300
)

// Observer watches the connections of a network namespace. One goroutine reads what the kernel says.
type Observer struct {
	options Options
	tick    time.Duration
	began   time.Time
	targets *targets
	health  Health // guarded by targets.mu

	// what follows belongs to the goroutine
	sockets    *table
	dumps      *netlink
	events     *subscription
	files      [2]*os.File // of counters
	text       []byte
	generation uint8
	requests   [][]byte
	twice      bool      // whether the kernel lists one address family at a time only
	dumped     time.Time // when the last dump began
	took       time.Duration
	atDump     counts    // when it began
	atEvents   counts    // when the last events were read
	atTicks    [4]counts // at the last ticks, the oldest first
	emptied    time.Time // when there was no end to read
	looked     time.Time // at the counters, at the last tick
	atRise     time.Time // when they rose first since the last dump
	pending    []sighting
	listed     []Socket // for Options.Dumped
	pace       *pace
	containers containers
	cgroups    string    // where they are mounted; empty: nothing is named
	unnamed    []unnamed // of the dump that is under way
	searched   time.Time // from when on cgroups may be searched for again
	done       guard.Group
}

// Open begins to watch the network namespace of the calling thread. The error says why the kernel refuses.
func Open(options Options) (*Observer, error) {
	options = options.defaults()
	o := &Observer{options: options, tick: min(tick, options.Interval),
		began: time.Now().Add(-time.Second)}
	o.targets, o.sockets = newTargets(o.options.Networks), newTable(o.options.Max)
	if err := o.open(); err != nil {
		o.closeFiles()
		return nil, fmt.Errorf("observe the application's connections: %w; everything else works", err)
	}
	o.done.Report = o.options.Report
	o.done.Go(o.run)
	return o, nil
}

func (o *Observer) open() (err error) {
	if o.dumps, err = openNetlink(); err != nil {
		return err
	}
	if o.events, err = subscribe(); err != nil {
		return err
	}
	if o.files, err = openCounters(); err != nil {
		return err
	}
	if ports, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		o.targets.leastPort = leastPort(string(ports))
	}
	if o.pace, err = newPace(min(gather, o.tick)); err != nil {
		return err
	}
	o.cgroups, o.containers = findCgroups(), newContainers()
	o.text, o.looked = make([]byte, 64<<10), time.Now()
	o.atDump = o.readCounts()
	o.atEvents = o.atDump
	for i := range o.atTicks {
		o.atTicks[i] = o.atDump
	}
	if o.options.Capture != nil {
		_ = o.options.Capture.SeeFINs() // without them more is uncertain
	}
	if err = o.try(); err != nil { // a kernel without inet_diag refuses here
		return err
	}
	return o.dump(time.Now())
}

// openCounters opens the counters of the calling thread's namespace, which stay those wherever they are read.
func openCounters() (files [2]*os.File, err error) {
	for i, name := range []string{"snmp", "netstat"} {
		if files[i], err = os.Open("/proc/thread-self/net/" + name); err != nil {
			break
		}
	}
	return files, err
}

// Close ends the observer, and waits until nothing is reported any more.
func (o *Observer) Close() {
	o.pace.close()
	o.done.Wait()
	o.closeFiles()
}

func (o *Observer) closeFiles() {
	if o.dumps != nil {
		o.dumps.close()
	}
	if o.events != nil {
		o.events.close()
	}
	if o.pace != nil {
		o.pace.close()
	}
	for _, f := range o.files {
		if f != nil {
			_ = f.Close() // it was only read
		}
	}
}

// now is the present moment.
func (o *Observer) now() moment { return moment(time.Since(o.began) / (10 * time.Millisecond)) }

// between is the time from a moment to another.
func (o *Observer) between(m moment, until time.Time) time.Duration {
	return until.Sub(o.began) - time.Duration(m)*10*time.Millisecond
}

// readCounts reads the namespace's counters; what cannot be read is 0.
func (o *Observer) readCounts() (c counts) {
	for _, f := range o.files {
		if n, err := unix.Pread(int(f.Fd()), o.text, 0); err == nil { // the whole file; ReadAt would read its end, too
			c.parse(string(o.text[:n]))
		}
	}
	return c
}

// run reads the ends that have come, and dumps now and then.
func (o *Observer) run() {
	report := guard.Report(o.options.Report)
	for next := time.Now().Add(o.tick); o.pace.wait(); {
		report.Run(o.drain)
		if now := time.Now(); !now.Before(next) {
			next = now.Add(o.tick)
			report.Run(func() { o.look(now) })
		}
	}
}

// look reads the counters, and dumps when it is time: at once if connections were reset, so that it is known when.
func (o *Observer) look(now time.Time) {
	c := o.readCounts()
	o.conclude(c)
	if risen := c.since(o.atTicks[len(o.atTicks)-1]); risen.estabResets > 0 && o.atRise.IsZero() {
		o.atRise = now.Add(-now.Sub(o.looked) / 2) // in between
	}
	o.looked = now
	copy(o.atTicks[:], o.atTicks[1:])
	o.atTicks[len(o.atTicks)-1] = c
	interval := min(max(o.options.Interval, dumpShare*o.took), 2*o.options.Interval)
	rest := min(max(o.tick, dumpShare*o.took), interval)
	switch since := now.Sub(o.dumped); {
	case since >= interval, !o.atRise.IsZero() && since >= rest:
		o.dumpNow(now)
	}
}
