package clients

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

const (
	// idle is longer than the programs reuse an idle connection, which is 4 seconds.
	idle = 5 * time.Second
	// attempts is how many each program makes.
	attempts = 4
	// slack is what a busy machine may add to a deadline. A program without deadline never answers.
	slack = 20 * time.Second
)

// requests records what arrives at one server, in order.
type requests struct {
	mu      sync.Mutex // guards the others
	arrived []string
	all     []arrival
	alive   bool // a client that waits has a keepalive timer of at most 30 s
}

type arrival struct {
	faultlab.Request
	at time.Time
}

// add records a request as "GET 1": the method, and which request of its connection it is. It returns its number.
func (r *requests) add(request faultlab.Request) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived = append(r.arrived, fmt.Sprint(request.Method, " ", request.Nth))
	r.all = append(r.all, arrival{request, time.Now()})
	return len(r.all)
}

// seen is what has arrived, and the time between the first request and the last.
func (r *requests) seen() (arrived []string, span time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) > 0 {
		span = r.all[len(r.all)-1].at.Sub(r.all[0].at)
	}
	return slices.Clone(r.arrived), span
}

// A script is what a server does about its n-th request.
type script func(n int, request faultlab.Request) faultlab.Reply

func first(count int, reply faultlab.Reply) script {
	return func(n int, _ faultlab.Request) faultlab.Reply {
		if n <= count {
			return reply
		}
		return faultlab.Served
	}
}

func always(reply faultlab.Reply) script {
	return func(int, faultlab.Request) faultlab.Reply { return reply }
}

// reused resets each connection that is used a second time.
func reused(_ int, request faultlab.Request) faultlab.Reply {
	if request.Nth > 1 {
		return faultlab.Reset
	}
	return faultlab.Served
}

const noAnswer = "POST, no answer"

// A fault is a server, the calls made to it, their outcomes, and the requests that have to arrive.
type fault struct {
	name     string
	serve    script
	calls    []string
	wait     time.Duration // between the calls
	deadline time.Duration
	outcomes []string
	arrived  []string
	spaced   time.Duration // at least, from the first request to the last
	drips    bool          // needs a client whose deadline bounds the body
}

var faults = []fault{
	{"GET, the first two are reset", first(2, faultlab.Reset), []string{"GET"}, 0, time.Minute, []string{"200"},
		[]string{"GET 1", "GET 1", "GET 1"}, 0, false},
	{"POST, the first two are reset", first(2, faultlab.Reset), []string{"POST"}, 0, time.Minute, []string{"failed"},
		[]string{"POST 1"}, 0, false},
	{"GET, each is reset", always(faultlab.Reset), []string{"GET"}, 0, time.Minute, []string{"failed"},
		slices.Repeat([]string{"GET 1"}, attempts), 0, false},
	{"GET, a reused connection is reset", reused, []string{"GET", "GET"}, 0, time.Minute, []string{"200", "200"},
		[]string{"GET 1", "GET 2", "GET 1"}, 0, false},
	{"POST, a reused connection is reset", reused, []string{"GET", "POST"}, 0, time.Minute, []string{"200", "failed"},
		[]string{"GET 1", "POST 2"}, 0, false},
	{"POST after the pool's idle time", reused, []string{"GET", "POST"}, idle, time.Minute, []string{"200", "200"},
		[]string{"GET 1", "POST 1"}, idle, false},
	{"GET, busy for a second", first(1, faultlab.Busy), []string{"GET"}, 0, time.Minute, []string{"200"},
		[]string{"GET 1", "GET 2"}, time.Second, false},
	{"POST, busy for a second", first(1, faultlab.Busy), []string{"POST"}, 0, time.Minute, []string{"503"},
		[]string{"POST 1"}, 0, false},
	{"GET, busy for longer than the deadline", always(faultlab.Shut), []string{"GET"}, 0, time.Minute,
		[]string{"503"}, []string{"GET 1"}, 0, false},
	{noAnswer, always(faultlab.Hung), []string{"POST"}, 0, 4 * time.Second, []string{"failed"},
		[]string{"POST 1"}, 0, false},
	{"POST, the body drips", always(faultlab.Dripped), []string{"POST"}, 0, 4 * time.Second, []string{"failed"},
		[]string{"POST 1"}, 0, true},
}

// Each program succeeds where it can, sends no POST twice, and ends within its deadline. The programs mostly wait, so
// that all run at the same time.
func TestClients(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	dir := t.TempDir()
	refused := capture(t)
	for _, c := range clients {
		var command []string
		t.Run(c.source, func(t *testing.T) { command = c.command(t, dir) }) // skipped without its runtime
		if command == nil {
			continue
		}
		p := start(t, c, command)
		checks := append(p.checks(t), refused.check(t, p))
		running.Go(func() {
			for _, check := range checks {
				check()
			}
		})
	}
	running.Wait()
	refused.compare(t)
}

// checks are the faults that the program is run against, one after the other. Their servers listen already.
func (p *program) checks(t *testing.T) []func() {
	var checks []func()
	for _, f := range faults {
		if f.drips && !p.bounded {
			continue
		}
		got := &requests{}
		url := ""
		url = faultlab.Scripted(t, func(r faultlab.Request) faultlab.Reply {
			reply := f.serve(got.add(r), r)
			if reply == faultlab.Hung {
				got.watch(url)
			}
			return reply
		})
		checks = append(checks, func() { p.check(t, f, url, got) })
	}
	return checks
}

func (p *program) check(t *testing.T, f fault, url string, got *requests) {
	var outcomes []string
	for i, method := range f.calls {
		if i > 0 && f.wait > 0 {
			<-time.After(f.wait)
		}
		outcomes = append(outcomes, p.call(method, url, f.deadline))
	}
	arrived, span := got.seen()
	if !slices.Equal(outcomes, f.outcomes) {
		t.Errorf("%s: %s: the outcomes are %q, want %q", p.source, f.name, outcomes, f.outcomes)
	}
	want := f.arrived
	if len(want) == attempts {
		want = slices.Repeat(want, p.sends)
	}
	if !slices.Equal(arrived, want) {
		t.Errorf("%s: %s: %q arrived, want %q", p.source, f.name, arrived, want)
	}
	if waits := f.name == noAnswer; waits && got.isAlive() != p.alive {
		t.Errorf("%s: TCP keepalives while it waits for an answer: %v, want %v", p.source, !p.alive, p.alive)
	}
	if span < f.spaced {
		t.Errorf("%s: %s: the requests arrived within %v, want %v at least", p.source, f.name, span, f.spaced)
	}
}
