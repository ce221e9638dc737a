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
	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/result"
)

// A large body that waits for another one to be parsed is nobody's failure but ours, however the wait ends.
func TestParsingQueue(t *testing.T) {
	url := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "[1"+strings.Repeat(",1", largeBody)+"]") // a prober that has gone is not missed
	}))
	c, err := config.Parse([]byte(`modules: {m: {prober: http, http: {preferred_ip_protocol: ip4, `+
		`fail_if_body_json_matches_cel: "body[0] == 2"}}}`), "f.yml", ".")
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
		want result.Failure
	}{
		{"by the deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, result.Failure{Phase: result.Validate, Reason: result.LocalOverloaded, Origin: result.Local,
			Check: result.CheckCEL}},
		{"by a cancel", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, result.Failure{Phase: result.Validate, Reason: result.Abandoned, Origin: result.Self,
			Check: result.CheckCEL}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := New(Options{})
			p.parsing <- struct{}{} // somebody else's body
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
			<-p.parsing
			if r := p.Probe(t.Context(), target, c.Modules["m"]); r.Failure != nil {
				t.Errorf("with nobody before it: %+v, want a success", r.Failure)
			}
		})
	}
	claims.Prove(t, "large JSON (over 64 KiB) taken apart for CEL")
}

// Time that the exporter took from a probe is the exporter's, if the probe failed for lack of time.
func TestShortenedBy(t *testing.T) {
	timedOut := result.Failure{Phase: result.Processing, Reason: result.HTTPResponseTimedOut, Origin: result.Self,
		Err: context.DeadlineExceeded}
	dead := result.Failure{Phase: result.Processing, Reason: result.TCPAborted, Origin: result.Kernel}
	reset := result.Failure{Phase: result.Processing, Reason: result.TCPReset, Origin: result.Peer}
	refused := result.Failure{Phase: result.Validate, Reason: result.HTTPContent, Check: result.CheckBody}
	abandoned := result.Failure{Phase: result.Processing, Reason: result.Abandoned, Origin: result.Self}
	for _, row := range []struct {
		name            string
		failure         *result.Failure
		elapsed, waited time.Duration
		want            result.Reason
	}{
		{"half of the time", &timedOut, 5 * time.Second, 5 * time.Second, result.LocalOverloaded},
		{"more than a tenth", &timedOut, 5 * time.Second, time.Second, result.LocalOverloaded},
		{"less than a tenth", &timedOut, 5 * time.Second, 500 * time.Millisecond, result.HTTPResponseTimedOut},
		{"nothing", &timedOut, 5 * time.Second, 0, result.HTTPResponseTimedOut},
		{"the path went dead meanwhile", &dead, 5 * time.Second, 5 * time.Second, result.LocalOverloaded},
		{"it failed before the deadline", &timedOut, 4 * time.Second, 5 * time.Second, result.HTTPResponseTimedOut},
		{"the peer ended it", &reset, 5 * time.Second, 5 * time.Second, result.TCPReset},
		{"the response was refused", &refused, 5 * time.Second, 5 * time.Second, result.HTTPContent},
		{"abandoned", &abandoned, 5 * time.Second, 5 * time.Second, result.Abandoned},
		{"success", nil, 5 * time.Second, 5 * time.Second, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := result.Result{Timeout: 5 * time.Second, Elapsed: row.elapsed, Failure: row.failure,
				Attempts: []result.Attempt{{Failure: row.failure}}}
			r.ShortenedBy(row.waited)
			var got result.Failure
			if r.Failure != nil {
				got = *r.Failure
			}
			if got.Reason != row.want || r.Last().Failure != r.Failure {
				t.Errorf("ShortenedBy(%s) = %+v, want reason %q", row.waited, r.Failure, row.want)
			}
			if got.Reason == result.LocalOverloaded &&
				(got.Origin != result.Local || got.Phase != result.Processing || row.failure.Err != nil &&
					!errors.Is(got.Err, row.failure.Err)) {
				t.Errorf("ShortenedBy(%s) = %+v, want origin local, the phase and the error kept", row.waited, got)
			}
		})
	}
}

// What is left of a probe's time when it begins is shown as what it was given, whatever its length.
func TestGiven(t *testing.T) {
	const ms, us = time.Millisecond, time.Microsecond
	for _, row := range []struct {
		name                string
		left, timeout, want time.Duration
	}{
		{"the module's", 800 * ms, 800 * ms, 800 * ms},
		{"the module's, moments later", 799*ms + 981*us, 800 * ms, 800 * ms},
		{"the module's, its deadline set after the start", 800*ms + 2*us, 800 * ms, 800 * ms},
		{"the module's, later", 796 * ms, 800 * ms, 800 * ms},
		{"less than the module's", 9500 * ms, 10_000 * ms, 9500 * ms},
		{"less than the module's, moments later", 9499*ms + 900*us, 10_000 * ms, 9500 * ms},
		{"no timeout of the module's", 499*ms + 950*us, 0, 500 * ms},
		{"one millisecond", 900 * us, 0, ms},
		{"a queue before", 700 * ms, 800 * ms, 700 * ms},
	} {
		if got := given(row.left, row.timeout); got != row.want {
			t.Errorf("%s: given(%s, %s) = %s, want %s", row.name, row.left, row.timeout, got, row.want)
		}
	}
}
