package prober

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
)

// A large body that waits for another one to be judged is nobody's failure but ours, however the wait ends.
func TestJudgingQueue(t *testing.T) {
	url := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "[1"+strings.Repeat(",1", largeBody)+"]") // a prober that has gone is not missed
	}))
	c, err := config.Parse([]byte(`modules: {m: {prober: http, http: {preferred_ip_protocol: ip4, fail_if_body_json_matches_cel: "body[0] == 2"}}}`), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	target, err := ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		ends func(context.Context) (context.Context, context.CancelFunc)
		want Failure
	}{
		{"by the deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, Failure{Phase: Validate, Reason: LocalOverloaded, Origin: Local, Check: CheckCEL}},
		{"by a cancel", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, Failure{Phase: Validate, Reason: Abandoned, Origin: Self, Check: CheckCEL}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := New(Options{})
			p.judging <- struct{}{} // somebody else's body
			ctx, cancel := row.ends(t.Context())
			defer cancel()
			r := p.Probe(ctx, target, c.Modules["m"])
			if r.Failure == nil {
				t.Fatal("the probe succeeded")
			}
			got := *r.Failure
			got.Err = nil
			if got != row.want || !r.Last().LastHop().Response.Complete {
				t.Errorf("Probe() = %+v, want %+v", r.Failure, row.want)
			}
			<-p.judging
			if r := p.Probe(t.Context(), target, c.Modules["m"]); r.Failure != nil {
				t.Errorf("with nobody before it: %+v, want a success", r.Failure)
			}
		})
	}
}

// Time that the exporter took from a probe is the exporter's, if the probe failed for lack of time.
func TestShortenedBy(t *testing.T) {
	timedOut := Failure{Phase: Processing, Reason: HTTPResponseTimedOut, Origin: Self, Err: context.DeadlineExceeded}
	dead := Failure{Phase: Processing, Reason: TCPAborted, Origin: Kernel}
	reset := Failure{Phase: Processing, Reason: TCPReset, Origin: Peer}
	refused := Failure{Phase: Validate, Reason: HTTPContent, Check: CheckBody}
	abandoned := Failure{Phase: Processing, Reason: Abandoned, Origin: Self}
	for _, row := range []struct {
		name            string
		failure         *Failure
		elapsed, waited time.Duration
		want            Reason
	}{
		{"half of the time", &timedOut, 5 * time.Second, 5 * time.Second, LocalOverloaded},
		{"more than a tenth", &timedOut, 5 * time.Second, time.Second, LocalOverloaded},
		{"less than a tenth", &timedOut, 5 * time.Second, 500 * time.Millisecond, HTTPResponseTimedOut},
		{"nothing", &timedOut, 5 * time.Second, 0, HTTPResponseTimedOut},
		{"the path went dead meanwhile", &dead, 5 * time.Second, 5 * time.Second, LocalOverloaded},
		{"it failed before the deadline", &timedOut, 4 * time.Second, 5 * time.Second, HTTPResponseTimedOut},
		{"the peer ended it", &reset, 5 * time.Second, 5 * time.Second, TCPReset},
		{"the response was refused", &refused, 5 * time.Second, 5 * time.Second, HTTPContent},
		{"abandoned", &abandoned, 5 * time.Second, 5 * time.Second, Abandoned},
		{"success", nil, 5 * time.Second, 5 * time.Second, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := Result{Timeout: 5 * time.Second, Elapsed: row.elapsed, Failure: row.failure, Attempts: []Attempt{{Failure: row.failure}}}
			r.ShortenedBy(row.waited)
			var got Failure
			if r.Failure != nil {
				got = *r.Failure
			}
			if got.Reason != row.want || r.Last().Failure != r.Failure {
				t.Errorf("ShortenedBy(%s) = %+v, want reason %q", row.waited, r.Failure, row.want)
			}
			if got.Reason == LocalOverloaded && (got.Origin != Local || got.Phase != Processing || row.failure.Err != nil && !errors.Is(got.Err, row.failure.Err)) {
				t.Errorf("ShortenedBy(%s) = %+v, want origin local, the phase and the error kept", row.waited, got)
			}
		})
	}
}
