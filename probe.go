package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/term"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/host"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/terminal"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// probeOptions is the command line of the command probe.
type probeOptions struct {
	url       string
	module    string
	overrides config.Overrides
	count     int // 0: until interrupted
	interval  time.Duration
	keepalive string
	timeout   time.Duration
	output    string
	diagnose  bool
}

// The exit status of the command probe.
const (
	exitOK     = 0
	exitUsage  = 1 // the command line, or the configuration
	exitFailed = 2 // a probe failed
)

// defaultProbeTimeout is for modules without a timeout: a person waits.
const defaultProbeTimeout = 10 * time.Second

// probeFlags adds the command probe.
func probeFlags(app *kingpin.Application) (*kingpin.CmdClause, *probeOptions) {
	o := &probeOptions{}
	c := app.Command("probe", "Probe a URL, or a configured target, from this host and report in which phase it fails, why, and with which errno.\n\n"+
		"Exits with 0 if every probe succeeded, 1 if the command line or the configuration is invalid, 2 if a probe failed.")
	c.Arg("url", "The URL, http:// where no scheme is given, or the name of a configured target.").Required().StringVar(&o.url)
	c.Flag("module", "Module to probe with. Defaults to http_2xx, or to the configured target's.").Short('m').StringVar(&o.module)
	c.Flag("request", "HTTP method, such as POST.").Short('X').PlaceHolder("METHOD").StringVar(&o.overrides.Method)
	c.Flag("header", `Header "Name: value", repeatable; "Name:" removes the module's.`).Short('H').PlaceHolder(`"NAME: VALUE"`).StringsVar(&o.overrides.Headers)
	c.Flag("data", "Request body, or @FILE; implies POST.").Short('d').IsSetByUser(&o.overrides.HasData).StringVar(&o.overrides.Data)
	c.Flag("count", "Number of probes, with a line for each and a summary; 0 continues until Ctrl-C.").Short('n').Default("1").IntVar(&o.count)
	c.Flag("interval", "Time between the starts of two probes.").Short('i').Default("1s").DurationVar(&o.interval)
	c.Flag("timeout", "Timeout of each probe. Defaults to the module's, or 10s.").DurationVar(&o.timeout)
	c.Flag("keepalive", "Test connections that were idle for these times, such as 30s,5m.").PlaceHolder("AGES").StringVar(&o.keepalive)
	c.Flag("diagnose", "After a failure run experiments, each of which changes one thing, and report the cause.").BoolVar(&o.diagnose)
	c.Flag("all-addresses", "Probe every address of the name concurrently.").BoolVar(&o.overrides.AllAddresses)
	c.Flag("output", "Output format: text, json (a line per probe), or metrics.").Short('o').Default("text").EnumVar(&o.output, "text", "json", "metrics")
	return c, o
}

// runProbe runs the command probe and returns the exit status.
func runProbe(o *options) int {
	p := o.probe
	target, module, err := p.resolve(o)
	var ages []time.Duration
	if err == nil {
		ages, err = parseAges(p.keepalive)
	}
	if err == nil && (p.count < 0 || p.interval < 0 || p.timeout < 0) {
		err = errors.New("--count, --interval and --timeout cannot be negative")
	}
	if err != nil {
		fmt.Fprintf(o.messages, "errno_exporter: %s\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	logLibraries(o.logger)
	capture := openCapture(o, slog.LevelDebug, o.panicked)
	if capture != nil {
		defer capture.Close()
	}
	s := &session{
		options: p, prober: prober.New(prober.Options{UserAgent: userAgent(), Resets: capture, Panicked: o.panicked}), target: target, module: module, out: out,
		printer: &terminal.Printer{Out: out, Colour: colours(os.Stdout)}, progress: term.IsTerminal(int(os.Stderr.Fd())),
		messages: o.messages,
	}
	if len(ages) > 0 {
		return s.keep(ctx, ages)
	}
	return s.run(ctx)
}

// colours reports whether a file is a terminal that is to have colours (https://no-color.org).
func colours(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// resolve finds the target and the module.
func (p *probeOptions) resolve(o *options) (prober.Target, *config.Module, error) {
	c := config.Default()
	if !noFile(o) {
		var err error
		if c, err = config.Load(o.configFile); err != nil {
			return prober.Target{}, nil, err
		}
	}
	name, target := p.module, prober.Target{}
	if t := c.Find(p.url); t != nil {
		target.URL = t.URL
		if name == "" {
			name = t.Module.Name
		}
	} else {
		var err error
		if target, err = prober.ParseTarget(p.url); err != nil {
			return target, nil, err
		}
	}
	if name == "" {
		name = config.DefaultModule
	}
	module := c.Modules[name]
	if module == nil && name == config.DefaultModule {
		module = config.NewModule(name) // a file need not have it
	}
	if module == nil {
		return target, nil, fmt.Errorf("module %q is not in %s", name, o.configFile)
	}
	module, err := module.With(p.overrides)
	return target, module, err
}

// parseAges reads ages such as "30s,5m".
func parseAges(text string) ([]time.Duration, error) {
	if text == "" {
		return nil, nil
	}
	var ages []time.Duration
	for item := range strings.SplitSeq(text, ",") {
		age, err := time.ParseDuration(strings.TrimSpace(item))
		if err != nil || age <= 0 {
			return nil, fmt.Errorf("--keepalive %q: %q is not a duration, want durations such as 30s,5m", text, item)
		}
		ages = append(ages, age)
	}
	return ages, nil
}

// session is one run of the command.
type session struct {
	options  *probeOptions
	prober   *prober.Prober
	target   prober.Target
	module   *config.Module
	out      *bufio.Writer
	printer  *terminal.Printer
	progress bool // standard error is a terminal
	messages io.Writer
}

// redraw begins the current line of a terminal again: a carriage return, and EL of ECMA-48 section 8.3.41.
const redraw = "\r\x1b[K"

// say tells what is going on, on a terminal; the next word takes its place.
func (s *session) say(format string, args ...any) {
	if s.progress {
		fmt.Fprintf(s.messages, redraw+format, args...)
	}
}

// probe makes one probe.
func (s *session) probe(ctx context.Context) *result.Result {
	timeout := s.options.timeout
	if timeout == 0 && s.module.Timeout == 0 {
		timeout = defaultProbeTimeout
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	s.say("probing %s", s.module.MaskURL(s.target.URL))
	r := s.prober.Probe(ctx, s.target, s.module)
	s.say("")
	return &r
}

// run probes as often as is wanted, and summarises if that is more than once.
func (s *session) run(ctx context.Context) int {
	summary := terminal.NewSummary()
	for n := 1; ctx.Err() == nil && (s.options.count == 0 || n <= s.options.count); n++ {
		next := time.Now().Add(s.options.interval)
		r := s.probe(ctx)
		if ctx.Err() != nil && r.Failure != nil {
			break // it was interrupted
		}
		summary.Add(r)
		s.print(n, r)
		s.judge(ctx, r)
		_ = s.out.Flush() // nobody is left to be told
		if n != s.options.count {
			sleep(ctx, time.Until(next))
		}
	}
	if s.options.count != 1 && s.options.output == "text" {
		s.printer.Summary(s.module.MaskURL(s.target.URL), summary)
	}
	if summary.Failed > 0 {
		return exitFailed
	}
	return exitOK
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (s *session) print(n int, r *result.Result) {
	switch {
	case s.options.output == "json":
		_ = s.printer.JSON(r) // nobody is left to be told
	case s.options.output == "metrics":
		e := metrics.NewExposition()
		e.Probe(r, s.module)
		_, _ = s.out.WriteString(e.Text())
	case s.options.count == 1:
		s.printer.Waterfall(r)
	default:
		s.printer.Line(n, r)
	}
}

// judge names the cause of a failure, with experiments if those are wanted.
func (s *session) judge(ctx context.Context, r *result.Result) {
	if r.Failure == nil || s.options.output != "text" || s.options.count != 1 && !s.options.diagnose {
		return
	}
	var found cause.Findings
	if s.options.diagnose {
		s.say("making experiments")
		found.Controls = s.prober.Diagnose(ctx, s.target, r, s.module)
		s.say("")
	}
	evidence := &cause.Evidence{Recent: []cause.Observation{cause.Observe(r, 0, time.Now())}, Host: new(host.Sampler).Sample()}
	if len(found.Controls) > 0 {
		evidence.Experiments = &cause.Experiments{At: time.Now(), After: *r.Failure, Addr: r.Last().LastHop().Addr.Addr(), Made: found.Controls}
	}
	if v, ok := cause.Judge(evidence); ok {
		found.Verdict = &v
	}
	s.printer.Cause(found)
}

// keep keeps a connection for each age, side by side, and prints what becomes of each.
func (s *session) keep(ctx context.Context, ages []time.Duration) int {
	var mu sync.Mutex // guards failed and the printer
	failed := false
	var keeping guard.Group
	for _, age := range ages {
		keeping.Go(func() {
			ok := s.keepFor(ctx, age, func(print func()) {
				mu.Lock()
				defer mu.Unlock()
				s.say("")
				print()
				_ = s.out.Flush()
			})
			mu.Lock()
			defer mu.Unlock()
			failed = failed || !ok
		})
	}
	done := make(chan struct{})
	var waiting guard.Group
	waiting.Go(func() { defer close(done); keeping.Wait() })
	s.countdown(ages, done, &mu)
	waiting.Wait()
	if failed {
		return exitFailed
	}
	return exitOK
}

// countdown says on a terminal how long there is to wait.
func (s *session) countdown(ages []time.Duration, done <-chan struct{}, mu *sync.Mutex) {
	began := time.Now()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			s.say("")
			return
		case <-ticker.C:
			mu.Lock()
			for _, age := range ages {
				if left := age - time.Since(began); left > 0 {
					s.say("idle for %s, the next use is in %s", time.Since(began).Round(time.Second), left.Round(time.Second))
					break
				}
			}
			mu.Unlock()
		}
	}
}

// keepFor keeps one connection for an age, or until it ends, and reports whether it served a request then.
func (s *session) keepFor(ctx context.Context, age time.Duration, print func(func())) bool {
	made, cancel := context.WithTimeout(ctx, defaultProbeTimeout)
	defer cancel()
	kept, announced := s.prober.Keep(made, s.target, s.module)
	if kept == nil {
		why := "the request failed: run the probe without --keepalive first"
		if announced < 0 {
			why = "the server closes the connection after each response"
		}
		print(func() { fmt.Fprintf(s.out, "%-8s not tested: %s\n", age, why) })
		return false
	}
	defer kept.Close()
	if announced > 0 {
		print(func() {
			fmt.Fprintf(s.out, "%-8s the server announces an idle timeout of %s\n", age, announced)
		})
	}
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		if idle, stands := kept.Idle(); !stands || idle >= age {
			break
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return false
		}
	}
	use, cancel := context.WithTimeout(ctx, defaultProbeTimeout)
	defer cancel()
	r := kept.Probe(use)
	print(func() { s.printer.Kept(age, &r) })
	return r.Failure == nil
}
