package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/host"
	"errno_exporter/internal/host/counters"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/record"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Options is the command line of the command probe.
type Options struct {
	Target    string // a URL, or the name of a configured target
	Module    string // "": the configured target's, or the default
	Overrides config.Overrides
	Count     int // 0: until interrupted
	Interval  time.Duration
	Keepalive string // ages such as "30s,5m", or "find"
	Timeout   time.Duration
	Output    string // "text", "json" or "metrics"
	Diagnose  bool
	Verbose   bool
	Resolve   []string // "HOST:PORT:ADDRESS" each: where to find a host
}

// check refuses what cannot be combined.
func (o *Options) check() error {
	switch {
	case o.Count < 0 || o.Interval < 0 || o.Timeout < 0:
		return errors.New("--count, --interval and --timeout cannot be negative")
	case o.Keepalive != "" && o.Count != 1:
		return errors.New("--count and --keepalive exclude each other: each age is tested on one connection")
	case o.Keepalive != "" && o.Output != "text":
		return fmt.Errorf("--keepalive has no output as %s: remove -o", o.Output)
	case o.Verbose && (o.Keepalive != "" || o.Output != "text"):
		return errors.New("-v prints the record as text: remove --keepalive and -o")
	}
	return nil
}

// Terminal is what a command runs with.
type Terminal struct {
	Config     *config.Config
	ConfigFile string // for messages
	Prober     *prober.Prober
	Counters   *counters.Sampler // of the kernel; nil where there are none
	Out        *Output
	Messages   io.Writer // standard error
}

// The exit status of the command probe.
const (
	ExitOK     = 0
	ExitUsage  = 1 // the command line, the configuration, or standard output
	ExitFailed = 2 // a probe failed
)

// defaultTimeout is for modules without a timeout: a user waits.
const defaultTimeout = 10 * time.Second

// Probe runs the command probe and returns the exit status.
func Probe(t *Terminal, o *Options) int {
	target, module, err := o.resolve(t)
	var ages []time.Duration
	if err == nil {
		ages, err = parseAges(o.Keepalive)
	}
	if err == nil {
		err = o.check()
	}
	if err == nil && o.Keepalive != "" && module.EnableHTTP3 {
		err = errors.New("--keepalive cannot be combined with HTTP/3")
	}
	if err != nil {
		return Refuse(t.Messages, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := bufio.NewWriter(t.Out)
	defer out.Flush()
	s := &session{
		Options: o, prober: t.Prober, target: target, module: module, out: out,
		printer:  &Printer{Out: out, Colour: colours(t.Out.to), Width: width(t.Out.to)},
		progress: term.IsTerminal(int(os.Stderr.Fd())), messages: t.Messages,
		counters: t.Counters,
	}
	if o.Keepalive == findLifetime {
		return s.find(ctx)
	}
	if len(ages) > 0 {
		return s.testIdle(ctx, ages)
	}
	return s.run(ctx)
}

// Refuse prints why the command cannot run and returns the exit status.
func Refuse(messages io.Writer, err error) int {
	fmt.Fprintf(messages, "errno_exporter: %s\n", err)
	return ExitUsage
}

// colours reports whether a file is a terminal that is to have colours (https://no-color.org).
func colours(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// width is a terminal's, in columns; 0 where the file is none.
func width(f *os.File) int {
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// session is one run of the command.
type session struct {
	*Options
	prober   *prober.Prober
	target   prober.Target
	module   *module.Module
	out      *bufio.Writer
	printer  *Printer
	progress bool // standard error is a terminal
	messages io.Writer
	counters *counters.Sampler
	before   *counters.Sample // of the last probe
}

// Redraw begins the terminal's current line again: a carriage return, and EL of ECMA-48 section 8.3.41.
const Redraw = "\r\x1b[K"

// progressf shows what is in progress, on a terminal only; the next call overwrites it.
func (s *session) progressf(format string, args ...any) {
	if s.progress {
		_, _ = io.WriteString(s.messages, Redraw+fit(fmt.Sprintf(format, args...), width(os.Stderr)))
	}
}

// probe makes one probe.
func (s *session) probe(ctx context.Context) *result.Result {
	timeout := s.Timeout
	if timeout == 0 && s.module.Timeout == 0 {
		timeout = defaultTimeout
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	s.before = s.counters.Before()
	var r result.Result
	s.waiting("probing "+s.module.MaskURL(s.target.URL), func() { r = s.prober.Probe(ctx, s.target, s.module) })
	return &r
}

// waiting shows on a terminal what is done and for how long already, until it is done.
func (s *session) waiting(what string, do func()) {
	if !s.progress {
		do()
		return
	}
	began, done := time.Now(), make(chan struct{})
	var showing guard.Group
	showing.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			s.progressf("%s, %s", what, time.Since(began).Round(time.Second))
			select {
			case <-ticker.C:
			case <-done:
				s.progressf("")
				return
			}
		}
	})
	defer showing.Wait()
	defer close(done)
	do()
}

// run makes the probes, and prints a summary if there is more than one.
func (s *session) run(ctx context.Context) int {
	summary := NewSummary()
	for n := 1; ctx.Err() == nil && (s.Count == 0 || n <= s.Count); n++ {
		next := time.Now().Add(s.Interval)
		r := s.probe(ctx)
		if ctx.Err() != nil && r.Failure != nil {
			break // interrupted
		}
		summary.Add(r)
		s.print(n, r, s.findings(ctx, r))
		if s.out.Flush() != nil {
			break // Output has the error
		}
		if n != s.Count {
			sleep(ctx, time.Until(next))
		}
	}
	if s.Count != 1 && s.Output == "text" {
		s.printer.Summary(s.module.MaskURL(s.target.URL), summary)
	}
	if summary.Failed > 0 {
		return ExitFailed
	}
	return ExitOK
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// print prints the n-th probe in the chosen format.
func (s *session) print(n int, r *result.Result, found cause.Findings) {
	switch {
	case s.Output == "json":
		_ = record.JSONOf(r, found).Write(s.out) // fails when the reader has gone
	case s.Output == "metrics":
		e := metrics.NewExposition()
		e.Probe(r, s.module)
		_, _ = s.out.WriteString(e.Text())
	case s.Verbose:
		e := metrics.NewExposition()
		e.Probe(r, s.module)
		if n > 1 {
			_, _ = s.out.WriteString("\n")
		}
		for line := range strings.Lines(string(record.Columns(s.printer.Width).Text(r, s.module, found, nil, e))) {
			_, _ = s.out.WriteString(wrap(strings.TrimSuffix(line, "\n"), s.printer.Width) + "\n")
		}
	case s.Count == 1:
		s.printer.Waterfall(r)
		s.printer.Cause(found)
	default:
		s.printer.Line(n, r)
		s.printer.Cause(found)
	}
}

// findings are the verdict on a failed probe, and the experiments if they are enabled. Samples have no verdict, and
// neither has one line of many.
func (s *session) findings(ctx context.Context, r *result.Result) cause.Findings {
	var found cause.Findings
	line := s.Output == "text" && s.Count != 1 && !s.Diagnose && !s.Verbose
	if r.Failure == nil || s.Output == "metrics" || line {
		return found
	}
	found.Kernel = s.counters.After(s.before)
	if s.Count == 1 {
		s.counters.Settle() // nobody could see it later
	}
	if s.Diagnose {
		s.waiting("running experiments", func() {
			found.Experiments = s.prober.Diagnose(ctx, s.target, r, s.module)
		})
	}
	now := time.Now()
	seen := cause.DigestOf(r, 0, now)
	seen.Kernel = found.Kernel
	evidence := &cause.Evidence{Recent: []cause.Digest{seen}, Host: new(host.Sampler).Sample()}
	if len(found.Experiments) > 0 {
		failed := r.Last().LastHop().Addr.Addr()
		evidence.Experiments = &cause.Experiments{At: now, After: *r.Failure, Addr: failed, Made: found.Experiments}
	}
	if v, ok := cause.Judge(evidence); ok {
		found.Verdict = &v
	}
	return found
}
