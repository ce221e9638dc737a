package watch

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/observe"
	"errno_exporter/prober"
	"errno_exporter/prober/socket"
)

// What became of the application's connections since the last probe is published with each probe of a target, once, and
// nothing where they are not observed. An incident adds it up.
func TestApplicationIsPublished(t *testing.T) {
	url := faultlab.ResetAfterRequest(t)
	ends, published := make(chan observe.End, 10), make(chan *incident.Application, 10)
	own := new(socket.Own)
	incidents := incident.NewLog(incident.Options{Rule: incident.Rule{Successes: 1}})
	w := New(Options{
		Prober: prober.New(prober.Options{Own: own}), Own: own, Remember: 10, Registry: prometheus.NewPedanticRegistry(),
		Observe: func(wanted observe.Options) *observe.Observer {
			own.SwitchOn()
			counted := wanted.Ended
			wanted.Own, wanted.Ended = own.Has, func(e *observe.End) { counted(e); ends <- *e }
			observer, err := observe.Open(wanted)
			if err != nil {
				t.Skip("this test needs inet_diag: ", err)
			}
			return observer
		},
		Sinks: []Sink{func(p *Published) {
			s := incident.Of(p.Result, p.Found)
			s.ID, s.Target, s.Application = p.ID, p.Target, p.Application
			incidents.Observe(s, nil)
			published <- p.Application
		}},
	})
	t.Cleanup(w.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	probe := func(settings string) *incident.Application {
		w.Apply(parse(t, settings+"targets:\n"+item("payments", url)))
		if state, err := probeTarget(ctx, w); err != nil || state.Outcome == nil {
			t.Fatalf("the probe has %+v, %v", state.Outcome, err)
		}
		return <-published
	}
	first := probe("observe: true\n")
	var want incident.Application
	for range 3 {
		connectAndLose(t, strings.Trim(strings.TrimPrefix(url, "http:"), "/"))
		select {
		case e := <-ends:
			want.Note(&e)
		case <-ctx.Done():
			t.Fatal("the end of a connection was not observed")
		}
	}
	second, third, off := probe("observe: true\n"), probe("observe: true\n"), probe("")
	if first == nil || second == nil || third == nil || off != nil {
		t.Fatalf("published %v, %v, %v, and without observe %v", first, second, third, off)
	}
	near := cmpopts.EquateApprox(0, 1e-6) // sums of seconds
	want.Since = second.Since
	if diff := cmp.Diff(&want, second, near); diff != "" || first.Ended != 0 || third.Ended != 0 || len(ends) > 0 {
		t.Errorf("published (-want +got):\n%sbefore it %+v, after it %+v", diff, first, third)
	}
	if !first.Since.Equal(second.Since) || !second.Since.Before(third.Since) {
		t.Errorf("since %s, %s, %s, want the first probe's end twice, then that of the second", first.Since, second.Since,
			third.Since)
	}
	want.Since = first.Since
	if diff := cmp.Diff(&want, incidents.Open("payments").Application, near); diff != "" {
		t.Errorf("the incident (-want +got):\n%s", diff)
	}
}

func probeTarget(ctx context.Context, w *Watch) (State, error) {
	state, _ := w.ProbeTarget(ctx, "payments", time.Minute)
	return state, ctx.Err()
}

// connectAndLose makes a connection to a server that resets it after a request, and closes it then.
func connectAndLose(t *testing.T, address string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatalf("%d bytes were read, want none", n)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}
