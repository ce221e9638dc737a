package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/observe"
	"errno_exporter/internal/record"
	"errno_exporter/internal/reset"
	"errno_exporter/prober"
)

// WatchOptions is the command line of the command watch.
type WatchOptions struct {
	Targets  []string       // names of configured targets, URLs, or HOST:PORT; none: all that are configured
	Interval time.Duration  // between two tables, or two lines of JSON on each target
	Duration time.Duration  // 0: until interrupted
	Output   string         // "text" or "json"
	Resets   *reset.Capture // nil: nothing says who sent a reset
	Panicked guard.Report
}

const (
	lookupInterval = 3 * time.Minute // between two lookups of the targets' names
	lookupTimeout  = 10 * time.Second

	// maxWaiting bounds the ends that were not printed yet: standard output may be slow.
	maxWaiting = 16_384
)

// watched is a target: what its connections are told by.
type watched struct {
	name string // the configured one, or HOST:PORT
	host string
	port uint16
}

// targets are those of the command line, or all that are configured.
func (o *WatchOptions) targets(c *config.Config) ([]watched, error) {
	var out []watched
	add := func(name string, u *url.URL) error {
		t, err := watchedAt(u)
		t.name = cmp.Or(name, t.name)
		if err == nil && !slices.Contains(out, t) {
			out = append(out, t)
		}
		return err
	}
	for _, text := range o.Targets {
		name, u := "", (*url.URL)(nil)
		if configured := c.Find(text); configured != nil {
			name, u = configured.Name, configured.URL
		} else if parsed, err := prober.ParseTarget(text); err != nil {
			return nil, err
		} else if u = parsed.URL; !strings.Contains(text, "://") && u.Port() == "" {
			return nil, fmt.Errorf("%q is neither a configured target nor has a port, want a name, a URL, or HOST:PORT",
				text)
		}
		if err := add(name, u); err != nil {
			return nil, err
		}
	}
	if len(o.Targets) == 0 {
		for _, t := range c.Targets {
			if err := add(t.Name, t.URL); err != nil {
				return nil, err
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no targets are configured: name one, such as errno_exporter watch api.example.com:443")
	}
	return out, nil
}

// watchedAt is the target that a URL leads to.
func watchedAt(u *url.URL) (watched, error) {
	text := u.Port()
	if text == "" {
		text = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return watched{}, fmt.Errorf("port %q of %q is out of range, want 1 to 65535", text, u.Host)
	}
	return watched{net.JoinHostPort(u.Hostname(), text), u.Hostname(), uint16(port)}, nil
}

// Watch runs the command watch and returns the exit status.
func Watch(t *Terminal, o *WatchOptions) int {
	targets, err := o.targets(t.Config)
	if err == nil && (o.Interval < minWatchInterval || o.Duration < 0) {
		err = fmt.Errorf("--interval %s or --duration %s is out of range, want at least %s, and no negative duration",
			o.Interval, o.Duration, minWatchInterval)
	}
	if err != nil {
		return Refuse(t.Messages, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	out := bufio.NewWriter(t.Out)
	defer out.Flush()
	w := &watching{
		WatchOptions: o, targets: targets, terminal: t, out: out,
		printer: &Printer{Out: out, Colour: colours(t.Out.to)}, ended: make(chan observe.End, maxWaiting),
		found: make(chan lookup, 1), endings: map[string]*endings{},
	}
	if w.Output == "text" && term.IsTerminal(int(t.Out.to.Fd())) && os.Getenv("TERM") != "dumb" {
		w.screen = int(t.Out.to.Fd())
		w.live = true
	}
	return w.run(ctx)
}

// minWatchInterval is the least time between two tables.
const minWatchInterval = 100 * time.Millisecond

// watching is one run of the command.
type watching struct {
	*WatchOptions
	targets  []watched
	terminal *Terminal
	out      *bufio.Writer
	printer  *Printer
	live     bool // standard output is a terminal, on which the table is drawn again and again
	screen   int  // its file descriptor
	drawn    int  // lines of the table that is there

	observer  *observe.Observer
	sockets   atomic.Pointer[[]observe.Socket] // of the last dump
	ended     chan observe.End
	unprinted dropped // ends that found no room in ended
	found     chan lookup
	endings   map[string]*endings
}

// lookup is what the targets' names resolved to.
type lookup struct {
	addresses map[string][]netip.AddrPort // by the target's name
	failed    []error
}

// lookUp resolves the targets' names by the system's resolver, as the applications do.
func (w *watching) lookUp(ctx context.Context) lookup {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	out := lookup{addresses: map[string][]netip.AddrPort{}}
	for _, t := range w.targets {
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", t.host)
		if err != nil {
			out.failed = append(out.failed, fmt.Errorf("%s cannot be watched: %w", t.name, err))
		}
		for _, addr := range addrs {
			out.addresses[t.name] = append(out.addresses[t.name], netip.AddrPortFrom(addr.Unmap(), t.port))
		}
	}
	return out
}

// learn has the observer know the targets' addresses.
func (w *watching) learn(l *lookup) {
	for name, addresses := range l.addresses {
		w.observer.Learn(name, addresses, time.Now())
	}
	for _, err := range l.failed {
		fmt.Fprintf(w.terminal.Messages, "errno_exporter: %s\n", record.Printable(err.Error()))
	}
}
