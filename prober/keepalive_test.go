package prober_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// idleSighting is what a test compares of an idle connection's fate.
type idleSighting struct {
	Used   bool
	Phase  result.Phase
	Reason result.Reason
	Errno  string
	Origin result.Origin
	Phases string // of the request on the idle connection
	Kept   bool   // the connection is kept on
}

func sightIdle(k *prober.IdleConn, r result.IdleResult) idleSighting {
	s := idleSighting{Used: r.Used, Kept: k.Reusable()}
	if f := r.Failure; f != nil {
		s.Phase, s.Reason, s.Errno, s.Origin, s.Kept = f.Phase, f.Reason, result.ErrnoName(f.Errno), f.Origin, false
	}
	var phases []string
	for _, span := range r.Attempt.LastHop().Spans {
		phases = append(phases, string(span.Phase))
	}
	s.Phases = strings.Join(phases, " ")
	return s
}

func keepModule() *module.Module {
	m := module.New("keep")
	m.PreferIPv6 = false
	m.TLS.RootCAs = faultlab.Roots()
	return m
}

func openIdle(t *testing.T, p *prober.Prober, url string, m *module.Module) (*prober.IdleConn, time.Duration) {
	t.Helper()
	target, err := prober.ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	kept, announced := p.OpenIdle(ctx, target, m)
	if kept != nil {
		t.Cleanup(kept.Close)
	}
	return kept, announced
}

// awaitEnd looks at an idle connection until its end is noticed.
func awaitEnd(t *testing.T, k *prober.IdleConn) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		idle, stands := k.Idle()
		if !stands {
			return
		}
		if idle > 20*time.Second {
			t.Fatal("the connection still stands after 20 s")
		}
		<-ticker.C
	}
}

// Connections that end while they idle: how, and how old they were.
func TestConnectionEndsIdle(t *testing.T) {
	const after = 200 * time.Millisecond
	for _, row := range []struct {
		name  string
		serve func(faultlab.Host, time.Duration) string
		want  idleSighting
	}{
		{"FIN", faultlab.IdleFin, idleSighting{false, "idle", result.TCPClosed, "", result.Peer, "idle", false}},
		{"FIN of a real server", faultlab.ClosesIdle,
			idleSighting{false, "idle", result.TCPClosed, "", result.Peer, "idle", false}},
		{"RST", faultlab.IdleReset, idleSighting{false, "idle", result.TCPReset, "ECONNRESET", result.Peer, "idle",
			false}},
		{"408 and FIN", faultlab.IdleTimeoutAnswer,
			idleSighting{false, "idle", result.TCPClosed, "", result.Peer, "idle", false}},
		{"TLS close_notify", faultlab.IdleTLSClose,
			idleSighting{false, "idle", result.TCPClosed, "", result.Peer, "idle", false}},
		{"a flood of HTTP/2 PING", faultlab.IdleFloodOfPings,
			idleSighting{false, "idle", result.PeerFlood, "", result.Self, "idle", false}},
		{"a flood of TLS tickets", faultlab.IdleFloodOfTickets,
			idleSighting{false, "idle", result.PeerFlood, "", result.Self, "idle", false}},
		{"HTTP/2 GOAWAY", faultlab.IdleGoAway, idleSighting{false, "idle", result.H2GoAway, "", result.Peer, "idle",
			false}},
	} {
		t.Run(row.name, func(t *testing.T) {
			k, _ := openIdle(t, prober.New(prober.Options{UserAgent: "test"}), row.serve(t, after), keepModule())
			if k == nil {
				t.Fatal("the connection was not kept")
			}
			awaitEnd(t, k)
			r := k.Probe(t.Context())
			if diff := cmp.Diff(row.want, sightIdle(k, r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if r.Idle < after-100*time.Millisecond || r.Idle > after+500*time.Millisecond {
				t.Errorf("idle for %s, want %s", r.Idle, after)
			}
		})
	}
}

// Idle connections that are used again.
func TestIdleConnectionUsed(t *testing.T) {
	both := func(protocols ...string) func(faultlab.Host) string {
		return func(h faultlab.Host) string { return faultlab.TLSHandler(h, faultlab.Healthy, protocols...) }
	}
	served := idleSighting{Used: true, Phases: "request processing transfer validate", Kept: true}
	lost := func(phase result.Phase, reason result.Reason, errno, phases string) idleSighting {
		return idleSighting{true, phase, reason, errno, result.Peer, phases, false}
	}
	for _, row := range []struct {
		name   string
		serve  func(faultlab.Host) string
		one    []idleSighting // each is right: what races is not ours to order
		repeat int
	}{
		{"healthy, HTTP", func(h faultlab.Host) string { return faultlab.Handler(h, faultlab.Healthy) },
			[]idleSighting{served}, 5},
		{"healthy, HTTPS", both("http/1.1"), []idleSighting{served}, 5},
		{"healthy, HTTP/2", both("h2"), []idleSighting{served}, 5},
		{"reset after the request", faultlab.SecondReset,
			[]idleSighting{lost("processing", result.TCPReset, "ECONNRESET", "request processing")}, 1},
		{"FIN after the request", faultlab.SecondFin,
			[]idleSighting{lost("processing", result.TCPClosed, "", "request processing")}, 1},
		{"the server closes as the request arrives", faultlab.SecondRaces, []idleSighting{
			lost("processing", result.TCPReset, "ECONNRESET", "request processing"),
			lost("request", result.TCPReset, "ECONNRESET", "request")}, 1},
		{"silence", faultlab.SecondSilent, []idleSighting{{true, "processing", result.HTTPResponseTimedOut, "",
			result.Self, "request processing", false}}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			k, _ := openIdle(t, prober.New(prober.Options{UserAgent: "test"}), row.serve(t), keepModule())
			if k == nil {
				t.Fatal("the connection was not kept")
			}
			for range row.repeat {
				timeout := 20 * time.Second
				if row.one[0].Reason == result.HTTPResponseTimedOut {
					timeout = 1500 * time.Millisecond
				}
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				r := k.Probe(ctx)
				cancel()
				got := sightIdle(k, r)
				if !oneOf(row.one, got) {
					t.Errorf("got %+v, want one of %+v; error %v", got, row.one, r.Failure)
				}
				if r.Attempt.Elapsed > timeout+time.Second || r.Attempt.LastHop().Spans[0].Start > time.Second {
					t.Errorf("took %s, its first phase began at %s: not counted from its own beginning",
						r.Attempt.Elapsed, r.Attempt.LastHop().Spans[0].Start)
				}
			}
		})
	}
}

func oneOf(all []idleSighting, got idleSighting) bool {
	for _, want := range all {
		if cmp.Equal(want, got) {
			return true
		}
	}
	return false
}

// What the server says of keeping, and what is not kept.
func TestOpenIdle(t *testing.T) {
	header := func(name, value string) func(faultlab.Host) string {
		return func(h faultlab.Host) string {
			return faultlab.Handler(h, http.HandlerFunc(func(w http.ResponseWriter,
				_ *http.Request) {
				w.Header().Set(name, value)
			}))
		}
	}
	for _, row := range []struct {
		name      string
		serve     func(faultlab.Host) string
		path      string
		kept      bool
		announced time.Duration
		hops      int // of the probe that leaves the connection
	}{
		{"says nothing", func(h faultlab.Host) string { return faultlab.Handler(h, faultlab.Healthy) }, "", true, 0, 1},
		{"Connection: close", header("Connection", "close"), "", false, -1, 1},
		{"HTTP/1.0", faultlab.HTTP10, "", false, -1, 1},
		{"Keep-Alive: timeout=7, max=100", header("Keep-Alive", "timeout=7, max=100"), "", true, 7 * time.Second, 1},
		{"Keep-Alive that cannot be read", header("Keep-Alive", "timeout=soon"), "", true, 0, 1},
		{"a failure", faultlab.ResetAfterRequest, "", false, 0, 1},
		{"a response that does not meet the rules", func(h faultlab.Host) string { return faultlab.Status(h, 500) }, "",
			false, 0, 1},
		{"a redirect is followed", faultlab.Redirects, "1", true, 0, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, m, url := prober.New(prober.Options{UserAgent: "test"}), keepModule(), row.serve(t)+row.path
			r := probe(t, p, url, m)
			if got := len(r.Last().Hops); got != row.hops {
				t.Errorf("a probe made %d hops, want %d", got, row.hops)
			}
			k, announced := openIdle(t, p, url, m)
			if (k != nil) != row.kept || announced != row.announced {
				t.Fatalf("kept %t, announced %s, want %t, %s", k != nil, announced, row.kept, row.announced)
			}
			if k == nil {
				return
			}
			used := k.Probe(t.Context())
			if used.Failure != nil || !used.Used || used.Attempt.LastHop().URL != r.Last().LastHop().URL {
				t.Errorf("the connection was used %t for %s, %+v, want a success at %s",
					used.Used, used.Attempt.LastHop().URL, used.Failure, r.Last().LastHop().URL)
			}
		})
	}
}

// A request on an idle connection names the exporters on whose behalf it is made, not those of the first one.
func TestIdleRequestIsSigned(t *testing.T) {
	var seen heard
	target := labTarget(t, faultlab.Handler(t, recorderOf(&seen, fine)))
	idle, _ := prober.New(prober.Options{}).OpenIdle(prober.OnBehalf(t.Context(), "first"), target, labModule())
	if idle == nil {
		t.Fatal("the connection was not kept")
	}
	defer idle.Close()
	if r := idle.Probe(prober.OnBehalf(t.Context(), "second")); r.Failure != nil {
		t.Fatalf("failure %+v, want none", outcomeOf(r.Failure))
	}
	var behalf []string
	for _, request := range seen.all() {
		name, _, _ := strings.Cut(request.Header.Get(prober.ProbeHeader), ", ")
		behalf = append(behalf, name)
	}
	if want := []string{"first", "second"}; !slices.Equal(behalf, want) {
		t.Errorf("requests on behalf of %q, want %q", behalf, want)
	}
}
