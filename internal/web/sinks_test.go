package web

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

// One line for each probe: failures for the operator, successes and what the client cancelled at level debug.
func TestLogProbe(t *testing.T) {
	abandoned := resulttest.ResetInProcessing()
	abandoned.Failure = &result.Failure{Phase: result.Processing, Reason: result.Abandoned, Origin: result.Self,
		Err: context.Canceled}
	traced := resulttest.HTTPSuccess()
	traced.TraceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	reset, success := resulttest.ResetInProcessing(), resulttest.HTTPSuccess()
	found := cause.Findings{Verdict: &cause.Verdict{Cause: cause.ServerOverloaded, Party: cause.Server,
		Confidence: cause.Medium}, Experiments: make([]result.Experiment, 3)}
	const failed = `phase=processing reason=tcp.reset errno=ECONNRESET origin=peer err="read tcp: connection reset by peer" `
	for _, row := range []struct {
		name      string
		published watch.Published
		want      string
	}{
		{"failure", watch.Published{ID: ulid.ULID{15: 7}, Result: &reset}, `level=INFO msg="probe failed" module=api ` +
			`target=https://www.example.com/health record=00000000000000000000000007 ` + failed + `duration=1.203s` + "\n"},
		{"failure of a configured target with a verdict",
			watch.Published{ID: ulid.ULID{15: 7}, Target: "payments", Result: &reset, Found: found},
			`level=INFO msg="probe failed" module=api target=payments url=https://www.example.com/health record=00000000000000000000000007 ` + failed +
				`cause=server_overloaded party=server confidence=medium duration=1.203s` + "\n"},
		{"its experiments", watch.Published{ID: ulid.ULID{15: 7}, Target: "payments", Result: &reset, Found: found, Later: true},
			`level=INFO msg="failure diagnosed" module=api target=payments url=https://www.example.com/health record=00000000000000000000000007 ` +
				failed + `cause=server_overloaded party=server confidence=medium experiments=3` + "\n"},
		{"success", watch.Published{ID: ulid.ULID{15: 8}, Result: &success}, `level=DEBUG msg="probe succeeded" module=api ` +
			`target=http://api.example.com/health record=00000000000000000000000008 duration=45ms` + "\n"},
		{"success with a trace", watch.Published{ID: ulid.ULID{15: 8}, Result: &traced},
			`level=DEBUG msg="probe succeeded" module=api target=http://api.example.com/health record=00000000000000000000000008 ` +
				`trace_id=4bf92f3577b34da6a3ce929d0e0e4736 duration=45ms` + "\n"},
		{"abandoned", watch.Published{ID: ulid.ULID{15: 9}, Result: &abandoned}, `level=DEBUG msg="probe failed" module=api ` +
			`target=https://www.example.com/health record=00000000000000000000000009 phase=processing reason=abandoned errno="" origin=self ` +
			`err="context canceled" duration=1.203s` + "\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got bytes.Buffer
			withoutTime := func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}
			logger := slog.New(slog.NewTextHandler(&got,
				&slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutTime}))
			LogProbe(logger, &row.published, nil)
			if diff := cmp.Diff(row.want, got.String()); diff != "" {
				t.Errorf("LogProbe (-want +got):\n%s", diff)
			}
		})
	}
}
