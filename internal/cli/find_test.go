package cli

import (
	"bufio"
	"bytes"
	"context"
	"regexp"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// The search prints each trial and what follows from them, also when its time is over before.
func TestFind(t *testing.T) {
	for _, row := range []struct {
		name  string
		serve func(faultlab.Host) string
		max   time.Duration // of the module
		all   time.Duration // --timeout
		want  string
		exit  int
	}{
		{"the server closes", func(h faultlab.Host) string { return faultlab.ClosesIdle(h, 700*time.Millisecond) }, 0,
			time.Minute, `FAILED after .* idle: connection closed by the peer while the connection was idle\n(.*\n)+` +
				`idle connections live for between \S+ and \S+, then they are closed with a FIN\n$`, ExitOK},
		{"nothing ends them", func(h faultlab.Host) string { return faultlab.Handler(h, faultlab.Healthy) },
			1100 * time.Millisecond, time.Minute,
			`^1s +ok: served a request after .* idle, in .*\n(1.1s +ok: .*\n)?idle connections live for at least \S+s\n$`,
			ExitOK},
		{"the time is over", func(h faultlab.Host) string { return faultlab.Handler(h, faultlab.Healthy) }, 0,
			100 * time.Millisecond, `^the search ended before it was complete: a longer --timeout narrows this\n` +
				`it is not known yet for how long idle connections live\n$`, ExitFailed},
		{"the server closes each time", faultlab.FinEndsBody, 0, time.Minute,
			`^1.000 s  not tested: the server closes the connection after each response\n$`, ExitFailed},
		{"the request fails", faultlab.ResetAfterRequest, 0, time.Minute,
			`^1.000 s  not tested: the request failed: run the probe without --keepalive first\n$`, ExitFailed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			target, err := prober.ParseTarget(row.serve(t))
			if err != nil {
				t.Fatal(err)
			}
			m := module.New("m")
			m.KeepaliveMax = row.max
			var got bytes.Buffer
			out := bufio.NewWriter(&got)
			s := &session{Options: &Options{Timeout: row.all}, prober: prober.New(prober.Options{}), target: target,
				module: m, out: out, printer: &Printer{Out: out}}
			exit := s.find(context.Background())
			_ = out.Flush()
			if !regexp.MustCompile(row.want).MatchString(got.String()) || exit != row.exit {
				t.Errorf("exit %d and\n%swant %d and\n%s", exit, got.String(), row.exit, row.want)
			}
		})
	}
}
