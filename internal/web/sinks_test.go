package web

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/prober/result"
)

// One line for each probe: failures for the operator, successes and what the client cancelled at level debug.
func TestLogProbe(t *testing.T) {
	abandoned := resulttest.ResetInProcessing()
	abandoned.Failure = &result.Failure{Phase: result.Processing, Reason: result.Abandoned, Origin: result.Self,
		Err: context.Canceled}
	for _, row := range []struct {
		name   string
		result result.Result
		want   string
	}{
		{"failure", resulttest.ResetInProcessing(),
			`level=INFO msg="probe failed" module=api target=https://www.example.com/health ` +
				`phase=processing reason=tcp.reset errno=ECONNRESET origin=peer err="read tcp: connection reset by peer" ` +
				`duration=1.203s` + "\n"},
		{"success", resulttest.HTTPSuccess(), `level=DEBUG msg="probe succeeded" module=api ` +
			`target=http://api.example.com/health duration=45ms` + "\n"},
		{"abandoned", abandoned, `level=DEBUG msg="probe failed" module=api target=https://www.example.com/health ` +
			`phase=processing reason=abandoned errno="" origin=self err="context canceled" duration=1.203s` + "\n"},
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
			LogProbe(logger, &row.result)
			if diff := cmp.Diff(row.want, got.String()); diff != "" {
				t.Errorf("LogProbe (-want +got):\n%s", diff)
			}
		})
	}
}
